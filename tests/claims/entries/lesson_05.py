"""Lesson 05: what a breaker spares, beside what a short queue or a deadline spares without it."""

from __future__ import annotations

from functools import cache
from typing import Any

from bpdemo.lab import simulate
from bpdemo.lab.lessons.outages import browsers_served, outage
from tests.claims.entry import Arm, Claim, NotApplicable, Recommended

LESSON = "05_circuit_breaker"
KNOBS = {"workers": 4, "queue_capacity": 40, "request_timeout_s": 0, "attempt_timeout_s": 0.2}
BREAKER = {"breaker_min_calls": 10, "breaker_window_s": 1, "breaker_open_s": 1}
NONE = {"breaker_enabled": False}
LOSSY = {**KNOBS, "request_timeout_s": 2.0, "payment_failure_rate": 0.2}
SEEDS = range(5)


def refused(knobs: dict[str, Any], **crowd: Any) -> float:
    """Shed ÷ offered in the middle of an outage of six seconds."""
    settings = {**KNOBS, "retry_attempts": 1} | knobs
    run = simulate(settings, times=0.6, seconds=12, changes=outage(4, 10), **crowd)
    during = run.between(5.2, 9.6)
    return during["shed_per_s"] / during["offered_per_s"]


def looked(knobs: dict[str, Any], **crowd: Any) -> float:
    """Share of those who only look that are served, with 12 seats and a payment that hangs."""
    settings = {**KNOBS, **BREAKER, "max_in_flight": 12} | knobs
    run = simulate(settings, times=0.6, seconds=8, browse_per_s=50, changes=outage(0, 8), **crowd)
    return browsers_served(run)


@cache
def lossy(slower: float = 1.0, **knobs: Any) -> tuple[float, ...]:
    """One call in five fails: goodput ÷ possible, for each seed."""
    settings = LOSSY | {"payment_latency_s": 0.04 * slower} | knobs
    runs = (simulate(settings, times=0.6, seconds=20, seed=seed) for seed in SEEDS)
    return tuple(run.summary["goodput_of_possible"] for run in runs)


CLAIMS = (
    Claim(
        LESSON,
        "outage",
        mechanism="an open breaker refuses at once",
        figure="shed ÷ offered while the payment hangs",
        arms=(
            Arm("neither breaker nor short queue nor deadline", lambda: refused(NONE), at_most=0.1),
            Arm(
                "4 may wait, no breaker",
                lambda: refused(NONE | {"queue_capacity": 4}),
                at_least=0.5,
                at_most=0.8,
            ),
            Arm(
                "a deadline, no breaker",
                lambda: refused(NONE, send_deadline=True),
                at_least=0.5,
                at_most=0.8,
            ),
            Arm("breaker alone", lambda: refused(BREAKER), at_least=0.85),
        ),
        recommended=NotApplicable(
            "its settings are for a picture of seconds; twitchy has those to be advised"
        ),
    ),
    Claim(
        LESSON,
        "probes",
        mechanism="permits are counted while half-open",
        figure="",
        arms=NotApplicable("nothing else in the service lets a call through an open breaker"),
        recommended=NotApplicable("the payment does not answer at all, which is slower than 2×"),
    ),
    Claim(
        LESSON,
        "bystanders",
        mechanism="orders do not hold seats for long, here since the breaker refuses them",
        figure="lookers served ÷ lookers",
        arms=(
            Arm("none", lambda: looked(NONE), at_most=0.75),
            Arm("breaker", lambda: looked({}), at_least=0.75),
            Arm(
                "4 may wait, no breaker", lambda: looked(NONE | {"queue_capacity": 4}), at_least=0.9
            ),
            Arm("a deadline, no breaker", lambda: looked(NONE, send_deadline=True), at_least=0.9),
            Arm(
                "one attempt for an order, no breaker",
                lambda: looked(NONE | {"retry_attempts": 1}),
                at_most=0.75,
            ),
        ),
        recommended=NotApplicable("the payment does not answer at all, which is slower than 2×"),
    ),
    Claim(
        LESSON,
        "twitchy",
        mechanism="a ratio in the range of normal, judged by few calls, with a long way out",
        figure="goodput ÷ possible, the best of five seeds where it does harm, else the worst",
        arms=(
            Arm("no breaker", lambda: min(lossy(**NONE)), at_least=0.95),
            Arm("ratio 0.2", lambda: max(lossy(breaker_failure_ratio=0.2)), at_most=0.6),
            Arm(
                "judged by 5 calls, the worst of five",
                lambda: min(lossy(breaker_min_calls=5)),
                at_most=0.6,
            ),
            Arm(
                "judged by 5 calls, the best of five",
                lambda: max(lossy(breaker_min_calls=5)),
                at_least=0.9,
            ),
            Arm(
                "ratio 0.2 by 5 calls, open for 0.5 s",
                lambda: max(
                    lossy(breaker_failure_ratio=0.2, breaker_min_calls=5, breaker_open_s=0.5)
                ),
                at_least=0.3,
                at_most=0.8,
            ),
        ),
        recommended=(
            Recommended(
                "ratio 0.5, judged by 50 calls",
                lambda slower: min(lossy(slower, breaker_min_calls=50)),
                at_least=0.95,
            ),
        ),
    ),
)
