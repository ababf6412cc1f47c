"""Lesson 01: the bound is the one setting of eight that keeps goodput up."""

from __future__ import annotations

from bpdemo.core.settings import Settings
from tests.claims.entry import Arm, Claim, NotApplicable, Recommended
from tests.claims.virtual import goodput, naive, played

LESSON = "01_when_queues_explode"
PROTECTED, UNPROTECTED = Settings(), Settings.unprotected()
OTHERS = tuple(
    knob
    for knob in Settings.model_fields
    if getattr(PROTECTED, knob) != getattr(UNPROTECTED, knob) and knob != "queue_capacity"
)
"""What the protected service has besides a bound: it does nothing against this load alone."""


def alone(knob: str) -> Arm:
    settings = naive(**{knob: getattr(PROTECTED, knob)})
    return Arm(f"`{knob}`", lambda: goodput(settings), at_most=0.1)


def mean_of_the_served() -> float:
    """At ten times capacity ÷ at half of it."""
    storm, quiet = (played(naive(queue_capacity=8), times=times) for times in (10, 0.5))
    served = [run.records.latency_s[run.records.fate == 0].mean() for run in (storm, quiet)]
    return float(served[0] / served[1])


CLAIMS = (
    Claim(
        LESSON,
        "collapse",
        mechanism="a queue without a bound, at twice the capacity",
        figure="goodput ÷ possible",
        arms=NotApplicable("it is the service with every mechanism off"),
        recommended=NotApplicable("nobody is advised to do this"),
    ),
    Claim(
        LESSON,
        "bound",
        mechanism="`queue_capacity=8`",
        figure="goodput ÷ possible",
        arms=tuple(alone(knob) for knob in OTHERS),
        recommended=(
            Recommended(
                "8 may wait",
                lambda slower: goodput(naive(queue_capacity=8), slower=slower),
                at_least=0.9,
            ),
        ),
    ),
    Claim(
        LESSON,
        "mean",
        mechanism="refusals among the answers whose mean is taken",
        figure="mean at ×10 ÷ mean at ×0.5",
        arms=(Arm("mean of the served alone", mean_of_the_served, at_least=1.2),),
        recommended=NotApplicable("it advises against a number, and recommends none"),
    ),
    Claim(
        LESSON,
        "open-closed",
        mechanism="a user waits for the answer before sending again",
        figure="",
        arms=NotApplicable("its two runs are the arms: one service, each kind of loop alone"),
        recommended=NotApplicable("no value; its dependency becomes four times slower"),
    ),
)
