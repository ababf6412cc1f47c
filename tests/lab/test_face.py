"""What `bpdemo.lab` gives: the names that everybody needs, and what several lessons use."""

import ast
import json
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from inspect import isfunction
from pathlib import Path

import pytest

from bpdemo import lab

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(p for room in ("notebooks", "solutions") for p in (ROOT / room).glob("*.ipynb"))
#: What everybody may need, whether a lesson uses it today or not.
OWN = {
    *("serve", "load", "simulate", "calibrate", "capacity_of", "cockpit", "show", "stop_all"),
    *("predict", "reveal", "claim", "check", "hint", "progress", "theory", "size"),
    *("challenge", "stage", "LoadRun", "NotMeasured", "ClaimFailed", "Request"),
}


def imports(notebook: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of everything that a notebook imports from the package."""
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or source.lstrip().startswith(("%", "!")):
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bpdemo"):
                yield from ((str(node.module), each.name) for each in node.names)


USED = {path.relative_to(ROOT).as_posix(): set(imports(path)) for path in NOTEBOOKS}


@pytest.mark.parametrize("notebook", USED)
def test_what_a_notebook_imports_is_there(notebook: str) -> None:
    """And a slip in its arguments is told in a line, wherever the function lives."""
    for module, name in USED[notebook]:
        home = import_module(module)
        value = getattr(home, name, None) or import_module(f"{module}.{name}")
        if isfunction(value) and module.startswith("bpdemo.lab"):
            assert hasattr(value, "__wrapped__"), f"{module}.{name} is not forgiving"


def test_what_only_one_lesson_uses_is_not_in_the_face() -> None:
    """It comes from the file that has it, so that the face stays short enough to be learnt."""
    lessons = defaultdict(set)
    for notebook, names in USED.items():
        for module, name in names:
            if module == "bpdemo.lab":
                lessons[name].add(Path(notebook).name[:2])
    rare = {name for name in lab.__all__ if name not in OWN and len(lessons[name]) < 2}
    assert not rare
    assert len(lab.__all__) <= 30


def test_type_checkers_see_the_names_that_are_given() -> None:
    """The lazy table and the imports for type checkers say the same."""
    tree = ast.parse(Path(lab.__file__).read_text("utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen.pop("theory") == "bpdemo.sim"
    assert seen == lab._HOME
