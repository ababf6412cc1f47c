"""Every claim of the course has survived its missing arms and a slower dependency."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from tests.claims.entry import SLOWER, Arm, Claim, NotApplicable, Recommended
from tests.claims.table import CLAIMS
from tests.claims.told import figures_told, rows_told
from tests.support.claims import claims_of, lessons

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
