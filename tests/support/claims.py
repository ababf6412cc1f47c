"""Play one claim of a lesson: just the cells that carry its tag, without a kernel.

Every claim of the course is an `assert` in a notebook. A test breaks the mechanism that the claim
is about and plays the claim's own cells: were the assert too weak to notice, the test would fail.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from bpdemo.lab import stop_all
from bpdemo.lab.lessons import sweeps
from tests.support import virtual_office
from tests.support.measured import until_measured

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
TAG = re.compile(r"claim-([\w-]+)")


#: A claim about a live service, in virtual time as well: that is tried at each change, the real
#: one, which takes a load of so many seconds, in `make test-all`.
BOTH_WAYS = pytest.mark.parametrize(
    "where",
    [
        "virtual",
        pytest.param("live", marks=[pytest.mark.load, pytest.mark.slow, pytest.mark.long]),
    ],
)


def play(lesson: str, claim: str, where: str = "live") -> dict[str, Any]:
    """Run the import cells and those tagged `claim-<claim>`, in order; gives their variables.

    Again while the machine is too busy for the run to count. Raises what a cell raises.
    """
    return until_measured(lambda: _run(lesson, claim, where))


def refute(lesson: str, claim: str, where: str = "live") -> str:
    """Play a claim whose mechanism is broken: its own assert must fail. Gives its words."""
    with pytest.raises(AssertionError) as failed:
        play(lesson, claim, where)
    last = failed.traceback[-1]
    assert str(last.path).startswith(str(NOTEBOOKS)), f"not the lesson's assert: {failed.value!r}"
    return str(failed.value)


def lessons() -> list[str]:
    """The lessons by the name of their file, in order."""
    return sorted(path.stem for path in NOTEBOOKS.glob("[0-9]*.ipynb"))


def claims_of(lesson: str) -> list[str]:
    """The claims of a lesson by the tags of its cells, in order."""
    tags = [tag for cell in _notebook(lesson).cells for tag in cell.metadata.get("tags", [])]
    return list(dict.fromkeys(found[1] for tag in tags if (found := TAG.fullmatch(tag))))


def _notebook(lesson: str) -> Any:
    return nbformat.read(NOTEBOOKS / f"{lesson}.ipynb", as_version=4)


def _run(lesson: str, claim: str, where: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": f"{lesson}:{claim}"}
    with pytest.MonkeyPatch.context() as patched:
        if where == "virtual":
            patched.setattr(sweeps, "serve", virtual_office.serve)
            patched.setattr(sweeps, "load", virtual_office.load)
        try:
            for place, source in _cells(lesson, claim):
                exec(compile(source, str(NOTEBOOKS / f"{lesson}[{place}]"), "exec"), names)
                if where == "virtual":  # in place of what the cell imported
                    names |= {"serve": virtual_office.serve, "load": virtual_office.load}
        finally:
            stop_all()
    return names


def _cells(lesson: str, claim: str) -> list[tuple[int, str]]:
    tag = f"claim-{claim}"
    tagged, imports = [], []
    for place, cell in enumerate(_notebook(lesson).cells):
        if cell.cell_type != "code":
            continue
        if tag in cell.metadata.get("tags", []):
            tagged.append((place, cell.source))
        elif cell.source.startswith(("from bpdemo", "import ")):
            imports.append((place, cell.source))
    assert any("assert" in source for _, source in tagged), f"{lesson}: nothing asserts {tag}"
    return sorted(imports + tagged)
