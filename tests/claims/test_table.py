"""Every claim of the course has survived its missing arms and a slower dependency."""

from __future__ import annotations

import ast
import builtins
from pathlib import Path
from typing import Any

import pytest

from tests.claims.entry import SLOWER, Arm, Claim, NotApplicable, Recommended
from tests.claims.table import CLAIMS
from tests.claims.told import figures_told, rows_told
from tests.support.claims import cells_of, claims_of, code_of, lessons, texts_in

HERE = Path(__file__).parent
#: Runs are the same to the last order; what may move a figure is a change of the service.
AS_TOLD: dict[str, Any] = {"abs": 0.03, "rel": 0.05}

ARMS = [
    pytest.param(claim, arm, id=f"{claim.label}: {arm.name}")
    for claim in CLAIMS
    if not isinstance(claim.arms, NotApplicable)
    for arm in claim.arms
]
VALUES = [
    pytest.param(claim, value, slower, id=f"{claim.label}: {value.value} at {slower:g}x")
    for claim in CLAIMS
    if not isinstance(claim.recommended, NotApplicable)
    for value in claim.recommended
    for slower in SLOWER
]


def test_every_claim_of_a_lesson_has_an_entry_and_there_are_no_others():
    """A new claim cannot be added to a lesson without its arms, or a reason."""
    in_lessons = [f"{lesson} {name}" for lesson in lessons() for name in claims_of(lesson)]
    assert sorted(claim.label for claim in CLAIMS) == sorted(in_lessons)


def test_the_mechanism_of_every_claim_is_broken_by_a_test():
    """Somewhere beside this file, each claim is refuted with its mechanism taken away."""
    broken = set()
    for path in HERE.glob("test_lesson_*.py"):
        number = path.stem.removeprefix("test_lesson_")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "refute":
                broken.add((number, ast.literal_eval(node.args[1])))
    assert broken == {(claim.lesson[:2], claim.name) for claim in CLAIMS}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.label)
def test_the_cells_of_a_claim_stand_on_their_own(claim: Claim):
    """Played without the rest of their lesson, they use no name that none of them has given."""
    trees = [ast.parse(source) for _, source in cells_of(claim.lesson, claim.name)]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    given = {node.id for node in nodes if isinstance(node, ast.Name) and _is_given(node)}
    given |= {(node.asname or node.name) for node in nodes if isinstance(node, ast.alias)}
    given |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    given |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    assert used - given - set(dir(builtins)) == set()


def _is_given(name: ast.Name) -> bool:
    return not isinstance(name.ctx, ast.Load)


@pytest.mark.parametrize("lesson", lessons())
def test_a_lesson_claims_and_asserts_nothing(lesson: str):
    """A learner sees the figure beside its bound, and a test knows which claim has failed."""
    asserts = [
        ast.unparse(node)
        for source in code_of(lesson)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assert)
    ]
    assert asserts == []


@pytest.mark.parametrize("lesson", lessons())
def test_no_two_claims_of_a_lesson_have_the_same_text(lesson: str):
    """Each is a literal, and names one claim: the log of measurements goes by it."""
    texts = [text for source in code_of(lesson) for text in texts_in(source)]
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.label)
def test_an_entry_says_what_does_it_and_why_anything_is_left_out(claim: Claim):
    """A reason is a sentence about this claim, not a shrug; an empty list of arms is no list."""
    assert claim.mechanism
    for part in (claim.arms, claim.recommended):
        if isinstance(part, NotApplicable):
            assert len(part.reason.split()) >= 4, part.reason
        else:
            assert part


@pytest.mark.long
@pytest.mark.parametrize(("claim", "arm"), ARMS)
def test_a_mechanism_alone_does_what_the_lesson_says_of_it(claim: Claim, arm: Arm):
    """The missing arm, measured: were it as good alone, the claim would name the wrong one."""
    found = arm.measure()
    assert arm.at_least <= found <= arm.at_most
    assert found == pytest.approx(figures_told(claim, arm.name)[0], **AS_TOLD)


@pytest.mark.long
@pytest.mark.parametrize(("claim", "value", "slower"), VALUES)
def test_a_recommended_value_survives_a_slower_dependency(
    claim: Claim, value: Recommended, slower: float
):
    """Advice that holds only while nothing gets slower is of no use on the day it is needed."""
    found = value.measure(slower)
    assert value.at_least <= found <= value.at_most
    told = figures_told(claim, value.value)[SLOWER.index(slower)]
    assert found == pytest.approx(told, **AS_TOLD)


def test_the_page_of_claims_has_a_row_for_each_entry():
    """CLAIMS.md is what a reader sees of this table: same claims, same mechanisms, same reasons."""
    told = rows_told()
    assert list(told) == [claim.label for claim in CLAIMS]
    for claim in CLAIMS:
        for part in (claim.arms, claim.recommended):
            if isinstance(part, NotApplicable):
                assert part.reason in told[claim.label]
        assert claim.mechanism in told[claim.label]


def test_figures_are_read_from_the_row_of_their_claim():
    """The reader of the page finds one figure for an arm, and one for each slowness."""
    bound = next(claim for claim in CLAIMS if claim.name == "bound")
    assert len(figures_told(bound, "8 may wait")) == len(SLOWER)
    assert len(figures_told(bound, "`breaker_enabled`")) == 1
