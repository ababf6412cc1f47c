"""A claim counts as refuted only by a `ClaimFailed` that its own cells have made."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from bpdemo.lab import ClaimFailed
from bpdemo.lab.contest import score
from tests.support import claims
from tests.support.notebooks import code_cell, write_notebook

LESSON = "01_tried"
#: A cell of the tag, and what it does to be refuted.
IMPORTS = "from bpdemo.lab import claim\nfrom bpdemo.lab.contest import score"
HONEST = 'claim("goodput stays up", 0.2, at_least=0.8)'


@pytest.fixture
def lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make a lesson of these cells; a cell is its tag and its source."""

    def make(*cells: tuple[str, str]) -> None:
        made = [code_cell(source, [f"claim-{tag}"]) for tag, source in cells]
        write_notebook(tmp_path / f"{LESSON}.ipynb", IMPORTS, *made)

    monkeypatch.setattr(claims, "NOTEBOOKS", tmp_path)
    return make


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch):
    """A function of the package that does what it is given, as a fault in it would."""

    def does(source: str) -> None:
        names = {"claim": claims_claim()}
        code = compile(f"def inside():\n    {source}\n", score.__file__, "exec")
        exec(code, names)
        monkeypatch.setattr(score, "inside", names["inside"], raising=False)

    return does


def claims_claim() -> object:
    from bpdemo.lab import claim

    return claim


def test_a_claim_of_the_cell_that_fails_is_a_refutation(lesson):
    """It gives the claim's text, as the cell has it."""
    lesson(("bound", HONEST))
    assert claims.refute(LESSON, "bound") == "goodput stays up"


def test_an_assertion_inside_the_package_is_no_refuted_claim(lesson, package):
    """A fault of ours on the way to the claim comes through as what it is."""
    package('assert False, "the books do not balance"')
    lesson(("bound", f"score.inside()\n{HONEST}"))
    with pytest.raises(AssertionError, match="the books do not balance") as seen:
        claims.refute(LESSON, "bound")
    assert not isinstance(seen.value, ClaimFailed)


def test_an_assert_of_the_cell_is_no_refuted_claim(lesson):
    """A cell that asserts says nothing about a claim."""
    lesson(("bound", f'assert 1 > 2, "oops"\n{HONEST}'))
    with pytest.raises(AssertionError, match="oops"):
        claims.refute(LESSON, "bound")


@pytest.mark.parametrize("text", ["goodput stays up", "something else"])
def test_a_claim_that_the_package_makes_is_no_refutation(lesson, package, text: str):
    """Not even one with the very words of the cell's own."""
    package(f'claim("{text}", 0.1, at_least=0.8)')
    lesson(("bound", f"score.inside()\n{HONEST}"))
    with pytest.raises(AssertionError, match="no cell of 01_tried has made it"):
        claims.refute(LESSON, "bound")


def test_a_claim_in_a_cell_without_the_tag_is_no_refutation(lesson):
    """The import cells run, too: what fails in one of them is no claim of this tag."""
    lesson(("", 'import math\n\nclaim("pi is small", math.pi, at_most=1)'), ("bound", HONEST))
    with pytest.raises(AssertionError, match="no cell tagged claim-bound says 'pi is small'"):
        claims.refute(LESSON, "bound")


def test_a_claim_that_holds_is_not_refuted(lesson):
    """The mechanism was broken, and the claim did not notice."""
    lesson(("bound", 'claim("goodput stays up", 0.9, at_least=0.8)'))
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        claims.refute(LESSON, "bound")


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('claim("a", 1, equals=1)\nclaim("b", 1, equals=1)', ["a", "b"]),
        ('if x:\n    claim(\n        "a" " b", 1, equals=1\n    )', ["a b"]),
        ('print("claim")', []),
    ],
)
def test_texts_are_read_as_they_stand(source: str, texts: Iterable[str]):
    """In order, wherever in the cell the call is."""
    assert claims.texts_in(source) == texts


@pytest.mark.parametrize("source", ['claim(f"{x}", 1, equals=1)', "claim(text, 1)", "claim()"])
def test_a_text_that_is_made_at_run_time_is_refused(source: str):
    """Nobody could say which claim it was that failed."""
    with pytest.raises(ValueError, match="a claim's text is a literal"):
        claims.texts_in(source)
