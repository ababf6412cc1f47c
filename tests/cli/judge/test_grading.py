"""What a judged service's measurements mean: a grade with a grey zone, and words that fit it."""

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.cli.judge import grading
from bpdemo.cli.judge.grading import Judgement, Refusals, overall

ORDER = {"good": 0, "unclear": 1, "bad": 2}


def refusals(**more: Any) -> Refusals:
    usual: dict[str, Any] = {"share": 0.8, "cost": 0.1, "p99_s": 0.01}
    return Refusals(**usual | {"retry_after_s": [1, 2, 3, 1, 2, 3]} | more)


@pytest.mark.parametrize(
    ("finding", "grade", "words"),
    [
        (grading.goodput_kept(2, 0.97), "good", "still serves 97% of its capacity"),
        (grading.goodput_kept(2, 1.04), "good", "still serves 100% of its capacity"),
        (grading.goodput_kept(5, 0.75), "unclear", "At 5×"),
        (grading.goodput_kept(5, 0.02), "bad", "clients that have stopped waiting"),
        (
            grading.goodput_kept(5, 0.6, "failed"),
            "bad",
            "mostly lost to requests that end in errors",
        ),
        (
            grading.goodput_kept(5, 0.6, "refused"),
            "bad",
            "rejections cost too much, or it rejects too",
        ),
        (grading.recovery(0.0), "good", "after 0.0 s"),
        (grading.recovery(3.0), "unclear", "after 3.0 s"),
        (grading.recovery(inf), "bad", "had not recovered when the run ended"),
        (
            grading.work_for_leavers(0.99, 0.01),
            "good",
            "does no work for clients that have disconnected",
        ),
        (grading.work_for_leavers(0.8, 0.01), "unclear", "may be done"),
        (grading.work_for_leavers(0.3, 0.01), "bad", "whose clients have left"),
        (grading.work_for_leavers(0.3, 0.01, 0.3), "bad", "whose clients have left"),
        (
            grading.work_for_leavers(0.3, 0.01, 0.4),
            "not judged",
            "40% of the patient clients got an error",
        ),
        (
            grading.work_for_leavers(0.9, 0.01, 0.1),
            "good",
            "does no work for clients that have disconnected",
        ),
        (grading.refusal_cost(refusals(), 0.5), "good", "costs 10% of the CPU time"),
        (grading.refusal_cost(refusals(cost=0.5), 0.5), "unclear", "costs 50%"),
        (grading.refusal_cost(refusals(cost=1.2), 0.5), "bad", "costs 120%"),
        (grading.refusal_cost(refusals(cost=-0.1), 0.5), "good", "costs 0%"),
        (grading.refusal_cost(refusals(cost=None), 0.5), "good", "come within 10 ms"),
        (grading.refusal_cost(refusals(cost=None, p99_s=0.4), 0.5), "bad", "within 400 ms"),
        (grading.refusal_cost(refusals(share=0.0), 0.5), "bad", "rejects nobody"),
        (grading.refusal_cost(refusals(share=0.0), 0.5), "bad", "every client waits"),
        (
            grading.refusal_cost(refusals(share=0.0, failed_share=0.8), 0.5),
            "bad",
            "80% of the requests",
        ),
        (grading.retry_after(refusals()), "good", "spread from 1 to 3 s"),
        (grading.retry_after(refusals(retry_after_s=[2] * 9)), "bad", "the same 2 s"),
        (
            grading.retry_after(refusals(retry_after_s=[None] * 9)),
            "bad",
            "9 of 9 rejections do not",
        ),
        (
            grading.retry_after(refusals(retry_after_s=[1])),
            "not judged",
            "only 1 of its rejections",
        ),
    ],
)
def test_each_figure_has_its_grade_and_its_words(
    finding: Judgement, grade: str, words: str
) -> None:
    """And whatever is not good says what to change."""
    assert finding.grade == grade
    assert words in finding.sentence
    assert bool(finding.advice) == (grade in ("unclear", "bad"))


@given(
    st.sampled_from([
        (lambda x: grading.goodput_kept(2, x), 0.1),
        (lambda x: grading.work_for_leavers(x, 0.01), 0.1),
        (lambda x: grading.recovery(10 * x), 0.1),
        (lambda x: grading.refusal_cost(refusals(cost=x), 0.5), 0.2),
    ]),
    st.floats(0, 1.2),
    st.floats(-1, 1),
)  # fmt: skip
def test_a_second_run_moves_a_grade_by_one_step_at_most(
    judged: tuple[Any, float], value: float, share: float
) -> None:
    """As long as it differs by no more than runs do: the grey zone is wider than that."""
    judge, differs = judged
    first, second = judge(value), judge(max(0.0, value + share * differs))
    assert abs(ORDER[first.grade] - ORDER[second.grade]) <= 1


def test_the_verdict_follows_from_the_findings() -> None:
    """Goodput first; what else is bad is named; and nothing is said of what was not judged."""
    good, bad = grading.goodput_kept(2, 0.97), grading.goodput_kept(5, 0.1)
    assert "collapses" in overall([good, bad])
    assert "not without loss" in overall([good, grading.goodput_kept(5, 0.75)])
    for cause, why in grading.COLLAPSES.items():
        found = [good, grading.goodput_kept(5, 0.1, cause)]
        assert overall(found) == f"It collapses under overload: {why}."
    late = grading.recovery(inf)
    assert overall([good, late]).endswith("What is left to do: recovery after a spike.")
    assert overall([good, grading.recovery(1)]) == (
        "It holds under overload, and nothing is left to do."
    )
    missing = grading.not_judged("goodput at 2×", "the machine was busy")
    assert "could not be judged" in overall([missing, late])
    assert "collapses" in overall([missing, bad])
    assert overall([missing, grading.goodput_kept(5, 0.9)]).startswith("As far as it could be")


@given(
    st.sampled_from(["only 1 rejection was looked at", "it answers within 2 ms", "Locust ended"])
)
def test_a_line_of_the_verdict_says_its_grade_once(why: str) -> None:
    """The grade stands before the sentence: that is the reason alone."""
    judged = grading.not_judged("Retry-After", why)
    assert judged.grade == "not judged"
    assert "judged" not in judged.sentence.lower()
    assert judged.sentence.lower() == f"{why.lower()}."
