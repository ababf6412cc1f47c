"""Lesson 08: four knobs, each turned alone, in a challenge that has a slow payment of its own."""

from __future__ import annotations

from functools import cache
from typing import Any

from bpdemo.lab import challenge
from tests.claims.entry import Arm, Claim, NotApplicable

LESSON = "08_tuning_challenge"
QUEUE = {"queue_capacity": 8}
BREAKER = {"breaker_failure_ratio": 0.5, "breaker_open_s": 1.0}


@cache
def _rehearsal() -> Any:
    return challenge("tide")


@cache
def points(**knobs: Any) -> float:
    """What turning these knobs in the bad settings gains, of 1000."""
    rehearsal = _rehearsal()
    return float(rehearsal.score(rehearsal.bad | knobs).total - _start())


@cache
def _start() -> int:
    rehearsal = _rehearsal()
    return int(rehearsal.score(rehearsal.bad).total)


CLAIMS = (
    Claim(
        LESSON,
        "queue",
        mechanism="nobody waits longer than customers do: by a bound, or by a deadline",
        figure="points gained, of 1000",
        arms=(
            Arm("`queue_capacity=8`", lambda: points(**QUEUE), at_least=250),
            Arm("`request_timeout_s=0.5`", lambda: points(request_timeout_s=0.5), at_least=250),
            Arm("`retry_attempts=2`", lambda: points(retry_attempts=2), at_most=100),
            Arm("`breaker_open_s=1`", lambda: points(breaker_open_s=1.0), at_most=100),
        ),
        recommended=NotApplicable("a scene of the challenge has a payment several times slower"),
    ),
    Claim(
        LESSON,
        "hidden",
        mechanism="the long queue hides what the breaker costs",
        figure="points gained, of 1000",
        arms=(
            Arm("the breaker's two knobs", lambda: points(**BREAKER), at_most=90),
            Arm(
                "the same, after the deadline was fixed",
                lambda: points(**BREAKER, request_timeout_s=0.5) - points(request_timeout_s=0.5),
                at_least=90,
            ),
        ),
        recommended=NotApplicable("a scene of the challenge has a payment several times slower"),
    ),
    Claim(
        LESSON,
        "live",
        mechanism="the simulation runs the service's own code",
        figure="",
        arms=NotApplicable("it holds a real service against the simulation of the same settings"),
        recommended=NotApplicable("it recommends no value; those it uses are in the queue's entry"),
    ),
)
