"""Play one claim of a lesson: just the cells that carry its tag, without a kernel.

Every claim of the course is a `claim(...)` in a notebook. A test breaks the mechanism that the
claim is about and plays its own cells: were its bound too weak to notice, the test would fail.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from bpdemo.core import slips
from bpdemo.lab import ClaimFailed, simulate, stop_all
from bpdemo.lab.contest.challenge import Challenge
from bpdemo.lab.lessons import effort, fairness, sweeps
from bpdemo.lab.lessons.on_call.rescue import simulate_rescue
from bpdemo.lab.lessons.shared import claims as claims_of_lessons
from bpdemo.lab.lessons.shared.claims import Claim
from bpdemo.sim.margin import margin
from tests.support import virtual_office
from tests.support.measured import until_measured
from tests.support.needed import later, without_words
from tests.support.notebooks import Cell, cells_in

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
TAG = re.compile(r"claim-([\w-]+)")
#: Between the cell that claims and the error: `claim` itself, and what forgives slips in its call.
OF_CLAIM = {slips.__file__, claims_of_lessons.__file__}
#: What a cell has imported to play something: made later, where most of it is not looked at.
PLAYED_LATER = {played.__name__: later(played) for played in (simulate, simulate_rescue, margin)}

#: A claim about a live service, in virtual time as well: that is tried at each change, the real
#: one, which takes a load of so many seconds, in `make test-all`.
BOTH_WAYS = pytest.mark.parametrize(
    "where",
    [
        "virtual",
        pytest.param("live", marks=[pytest.mark.load, pytest.mark.slow, pytest.mark.long]),
    ],
)


def play(
    lesson: str,
    claim: str,
    where: str = "live",
    heard: Callable[[Claim], None] | None = None,
    *,
    all_points: bool = True,
) -> dict[str, Any]:
    """Run the import cells and those tagged `claim-<claim>`, in order; gives their variables.

    Again while the machine is too busy for the run to count. Raises what a cell raises. `heard` is
    given each claim that the cells make, whether it holds or not. Without `all_points`, a line is
    drawn only through those that a claim names.
    """
    return until_measured(lambda: _run(lesson, claim, where, heard, all_points=all_points))


def refute(lesson: str, claim: str, where: str = "live") -> str:
    """Play a claim whose mechanism is broken: one of its own claims must fail. Gives its text.

    Nothing else counts as a refutation: an AssertionError of the package comes through as it is,
    and a `ClaimFailed` that the tag's own cells have not made is an AssertionError that says so.
    What fails at the points that the claims name fails at all of them, too, and what no claim has
    looked at when one fails is not worked out.
    """
    with pytest.raises(ClaimFailed) as failed:
        until_measured(lambda: _run(lesson, claim, where, None, all_points=False, all_runs=False))
    text = failed.value.claim.text
    made_by = [str(entry.path) for entry in failed.traceback if str(entry.path) not in OF_CLAIM]
    assert Path(made_by[-1]).parent == NOTEBOOKS, f"no cell of {lesson} has made it: {text!r}"
    assert text in texts_of(lesson, claim), f"no cell tagged claim-{claim} says {text!r}"
    return text


def texts_of(lesson: str, claim: str) -> list[str]:
    """What is claimed in the cells of this tag, word for word, in order."""
    tag = f"claim-{claim}"
    cells = (cell for cell in _code_cells(lesson) if tag in cell.metadata.get("tags", []))
    return [text for cell in cells for text in texts_in(cell.source)]


def texts_in(source: str) -> list[str]:
    """The texts of the claims in a cell, in order. Raises ValueError for one that is no literal."""
    calls = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "claim"
    ]
    texts = []
    for call in sorted(calls, key=lambda call: call.lineno):
        text = call.args[0] if call.args else None
        if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
            raise ValueError(f"a claim's text is a literal: {ast.unparse(call)}")
        texts.append(text.value)
    return texts


def lessons() -> list[str]:
    """The lessons by the name of their file, in order."""
    return sorted(path.stem for path in NOTEBOOKS.glob("[0-9]*.ipynb"))


def claims_of(lesson: str) -> list[str]:
    """The claims of a lesson by the tags of its cells, in order."""
    tags = [tag for cell in _notebook(lesson) for tag in cell.metadata.get("tags", [])]
    return list(dict.fromkeys(found[1] for tag in tags if (found := TAG.fullmatch(tag))))


def _notebook(lesson: str) -> list[Cell]:
    return cells_in(NOTEBOOKS / f"{lesson}.ipynb")


def is_live(lesson: str, claim: str) -> bool:
    """Whether its cells start a real service: then it takes a real load and a quiet machine."""
    calls = (
        getattr(node.func, "id", "")
        for _, source in cells_of(lesson, claim)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
    )
    return any(call in ("serve", "find_database") for call in calls)


def _run(
    lesson: str,
    claim: str,
    where: str,
    heard: Callable[[Claim], None] | None,
    *,
    all_points: bool,
    all_runs: bool = True,
) -> dict[str, Any]:
    cells = cells_of(lesson, claim)
    named = None if all_points else named_points(source for _, source in cells)
    names: dict[str, Any] = {"__name__": f"{lesson}:{claim}"}
    with pytest.MonkeyPatch.context() as patched:
        if where == "virtual":
            patched.setattr(sweeps, "serve", virtual_office.serve)
            patched.setattr(sweeps, "load_fresh", virtual_office.load_fresh)
            patched.setattr(effort, "watch_work", virtual_office.watch_work)
        if not all_runs:
            patched.setattr(Challenge, "score", later(Challenge.score))
            patched.setattr(fairness, "parts_by", later(fairness.parts_by))
        try:
            for place, source in cells:
                tree = ast.parse(source) if named is None else with_points(source, named)
                tree = tree if all_runs else without_words(tree)
                exec(compile(tree, str(NOTEBOOKS / f"{lesson}[{place}]"), "exec"), names)
                if heard is not None and "claim" in names:
                    names["claim"] = _telling(heard)
                if not all_runs:
                    names |= {name: PLAYED_LATER[name] for name in PLAYED_LATER.keys() & names}
                if where == "virtual":  # in place of what the cell imported
                    names |= {"serve": virtual_office.serve, "load": virtual_office.load}
        finally:
            stop_all()
    return names


def named_points(cells: Iterable[str]) -> set[Any]:
    """The numbers by which their claims, and what these are made of, look something up."""
    return {
        node.slice.value
        for source in cells
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, int | float)
    }


def with_points(source: str, named: set[Any]) -> ast.Module:
    """The cell, each `for … in (1, 2, …)` over numbers with those only that are named.

    A loop of which none is named stays whole: all are looked at, under another name.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Tuple):
            points = [each for each in node.iter.elts if isinstance(each, ast.Constant)]
            wanted = [each for each in points if each.value in named]
            if wanted and len(points) == len(node.iter.elts):
                node.iter.elts = list(wanted)
    return tree


def cells_of(lesson: str, claim: str) -> list[tuple[int, str]]:
    """What is played for a claim: the imports and its tagged cells, with their places."""
    assert texts_of(lesson, claim), f"{lesson}: nothing claims {claim}"
    tag = f"claim-{claim}"
    return [
        (place, cell.source)
        for place, cell in enumerate(_notebook(lesson))
        if cell.cell_type == "code"
        and (
            tag in cell.metadata.get("tags", [])
            or cell.source.startswith(("from bpdemo", "import "))
        )
    ]


def _telling(heard: Callable[[Claim], None]) -> Callable[..., Claim | None]:
    """`claim`, which tells of each claim that it has judged."""

    def told(*args: Any, **how: Any) -> Claim | None:
        try:
            found = claims_of_lessons.claim(*args, **how)
        except ClaimFailed as failed:
            heard(failed.claim)
            raise
        if found is not None:
            heard(found)
        return found

    return told


def code_of(lesson: str) -> list[str]:
    """The source of each code cell that is Python alone."""
    sources = (cell.source for cell in _code_cells(lesson))
    return [source for source in sources if not source.startswith(("%", "!"))]


def _code_cells(lesson: str) -> list[Cell]:
    return [cell for cell in _notebook(lesson) if cell.cell_type == "code"]
