"""Make exercises/ from solutions/, the only source: what `make exercises` calls.

    python scripts/make_exercises.py            write exercises/
    python scripts/make_exercises.py --check    write nothing; exit 1 if they differ

Between `### BEGIN SOLUTION` and `### END SOLUTION` stands what the learner has to find. In its
place comes what follows `### STUB ` in that block, line by line; without such a line it is
`raise NotImplementedError`. Cells tagged `solution-only` are left out. Ids stay as they are.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SOLUTIONS, EXERCISES = ROOT / "solutions", ROOT / "exercises"
BLOCK = re.compile(
    r"^(?P<indent>[ \t]*)### BEGIN SOLUTION\n(?P<body>.*?)^[ \t]*### END SOLUTION(?P<end>\n|\Z)",
    re.MULTILINE | re.DOTALL,
)
STUB = re.compile(r"^[ \t]*### STUB ?(.*)$", re.MULTILINE)
DEFAULT_STUB = ["# your code here", "raise NotImplementedError"]


def main(arguments: list[str]) -> int:
    wanted = {name_of(path): exercise_from(path) for path in sorted(SOLUTIONS.glob("*.ipynb"))}
    found = {path.name: path.read_text("utf-8") for path in EXERCISES.glob("*.ipynb")}
    differing = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
    if "--check" in arguments:
        for name in differing:
            print(f"exercises/{name} is not what solutions/ gives: run `make exercises`")
        return 1 if differing else 0
    EXERCISES.mkdir(exist_ok=True)
    for name in differing:
        if name in wanted:
            (EXERCISES / name).write_text(wanted[name], encoding="utf-8", newline="\n")
        else:
            (EXERCISES / name).unlink()
        print(f"exercises/{name}: {'written' if name in wanted else 'removed'}")
    if not differing:
        print(f"exercises/: all {len(wanted)} notebooks are up to date")
    return 0


def name_of(solution: Path) -> str:
    """Of the exercises' notebook. Lesson, exercises and solutions may be open side by side, in tabs
    that show nothing but a name. ValueError for a solution that is called like a lesson."""
    lesson, is_named, _ = solution.name.partition("_solutions.ipynb")
    if not is_named:
        raise ValueError(f"solutions/{solution.name} is to be called NN_solutions.ipynb")
    return f"{lesson}_exercises.ipynb"


def exercise_from(solution: Path) -> str:
    """The text of the exercises' notebook; ValueError for marks that do not pair."""
    notebook: dict[str, Any] = json.loads(solution.read_text("utf-8"))
    notebook["cells"] = [
        _unsolved(cell, solution.name)
        for cell in notebook["cells"]
        if "solution-only" not in cell["metadata"].get("tags", [])
    ]
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _unsolved(cell: dict[str, Any], where: str) -> dict[str, Any]:
    source = BLOCK.sub(_stub, "".join(cell["source"]))
    if "### " in source and cell["cell_type"] == "code":
        raise ValueError(f"{where}: a mark without its partner in\n{source}")
    unsolved = cell | {"source": source.splitlines(keepends=True)}
    if cell["cell_type"] == "code":
        unsolved |= {"outputs": [], "execution_count": None}
    return unsolved


def _stub(block: re.Match[str]) -> str:
    lines = STUB.findall(block["body"]) or DEFAULT_STUB
    return "\n".join(block["indent"] + line for line in lines) + block["end"]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
