"""Lesson 12: the point of no return, who is vulnerable, what raises the margin, and the way out."""

from __future__ import annotations

from typing import Any

from bpdemo.lab import simulate
from bpdemo.lab.lessons.on_call.recovery import recovered_after_s
from bpdemo.lab.lessons.on_call.rescue import simulate_rescue
from bpdemo.plan.changes import Change
from tests.claims.entry import Arm, Claim, NotApplicable, Recommended
from tests.claims.virtual import naive

LESSON = "12_the_point_of_no_return"


def after(
    trigger_s: float,
    *,
    load: float = 0.6,
    slower: float = 1.0,
    knobs: dict[str, Any] | None = None,
    **clients: Any,
) -> float:
    """What is served, of what is possible, seven seconds and more after a slow payment.

    `slower` is how much slower the payment and the store are all the time; orders come as before.
    """
    usual_s, store_s = 0.04 * slower, 0.002 * slower
    times = {"payment_latency_s": usual_s, "store_latency_s": store_s}
    changes: list[Change] = [
        (5, {"payment_latency_s": 5 * usual_s}),
        (5 + trigger_s, {"payment_latency_s": usual_s}),
    ]
    service = naive(**{"workers": 4, **times, **(knobs or {})})
    crowd = {"retries": 3, **clients}
    run = simulate(service, rate=load * 4 / 0.042, seconds=20, changes=changes, **crowd)
    return run.between(14, 20)["goodput_of_possible"]


def back_after_s(*steps: Change) -> float:
    """Seconds from the call at second 20 until the lesson's stuck service serves again."""
    run = simulate_rescue(steps, settings={"workers": 4}, seconds=50)
    return recovered_after_s(run, 20)


def after_both(slower: float = 1.0, **done: Any) -> float:
    """What is served after a second trigger, with those steps taken after the first."""
    usual_s = 0.04 * slower
    slow, usual = {"payment_latency_s": 5 * usual_s}, {"payment_latency_s": usual_s}
    run = simulate_rescue(
        [(20, done)],
        settings={"workers": 4, "payment_latency_s": usual_s, "store_latency_s": 0.002 * slower},
        trigger=[(5, slow), (7, usual), (45, slow), (47, usual)],
        rate=0.6 * 4 / 0.042,
        seconds=60,
    )
    return run.between(50, 60)["goodput_of_possible"]


CLAIMS = (
    Claim(
        LESSON,
        "edge",
        mechanism="retries, which make each late order come four times",
        figure="served ÷ possible, seven seconds after",
        arms=(
            Arm("1.1 s, no retries", lambda: after(1.1, retries=0), at_least=0.95),
            Arm("1.1 s, a budget of 10%", lambda: after(1.1, retry_budget=0.1), at_least=0.95),
            Arm("1.1 s, at 20% load", lambda: after(1.1, load=0.2), at_least=0.95),
        ),
        recommended=NotApplicable("it shows that there is an edge, and advises nothing"),
    ),
    Claim(
        LESSON,
        "states",
        mechanism="attempts an order, times the load, above or below the capacity",
        figure="served ÷ possible, seven seconds after",
        arms=(
            Arm("one retry at 40%", lambda: after(2, load=0.4, retries=1), at_least=0.95),
            Arm("one retry at 60%", lambda: after(2, retries=1), at_most=0.05),
            Arm("no retries at 60%", lambda: after(2, retries=0), at_least=0.95),
        ),
        recommended=NotApplicable(
            "its formula is a ratio: a slower payment is a higher load in it"
        ),
    ),
    Claim(
        LESSON,
        "raises",
        mechanism="few attempts, or a queue in which nobody waits in vain",
        figure="served ÷ possible, seven seconds after",
        arms=(
            Arm("neither", lambda: after(2), at_most=0.05),
            Arm("newest first", lambda: after(2, knobs={"queue_discipline": "lifo"}), at_least=0.9),
            Arm("CoDel", lambda: after(2, knobs={"queue_discipline": "codel"}), at_least=0.9),
            Arm("a bound of 61", lambda: after(2, knobs={"queue_capacity": 61}), at_most=0.2),
            Arm(
                "one retry, dropping those who left",
                lambda: after(3, knobs={"drop_on_disconnect": True}, retries=1),
                at_least=0.9,
            ),
            Arm(
                "one retry, twice the workers",
                lambda: after(3, knobs={"workers": 8}, retries=1),
                at_least=0.9,
            ),
            Arm(
                "a breaker with its usual numbers",
                lambda: after(2, knobs={"breaker_enabled": True, "attempt_timeout_s": 0.1}),
                at_most=0.1,
            ),
        ),
        recommended=(
            Recommended(
                "a bound of 8",
                lambda slower: after(2, slower=slower, knobs={"queue_capacity": 8}),
                at_least=0.9,
            ),
            Recommended(
                "a deadline that travels",
                lambda slower: after(2, slower=slower, send_deadline=True),
                at_least=0.8,
            ),
        ),
    ),
    Claim(
        LESSON,
        "out",
        mechanism="a queue that is empty, and stays so when those who waited come back",
        figure="seconds until it serves again",
        arms=(
            Arm(
                "a restart of 0 s, with a bound of 8",
                lambda: back_after_s((20, {"restart_s": 0, "queue_capacity": 8})),
                at_most=3,
            ),
            Arm(
                "newest first",
                lambda: back_after_s((20, {"queue_discipline": "lifo"})),
                at_most=1,
            ),
            Arm(
                "dropping those who left",
                lambda: back_after_s((20, {"drop_on_disconnect": True})),
                at_least=30,
            ),
            Arm("twice the workers", lambda: back_after_s((20, {"workers": 8})), at_least=30),
            Arm(
                "nine of ten shed upstream",
                lambda: back_after_s((20, {"shed_upstream": 0.9}), (25, {"shed_upstream": 0})),
                at_least=30,
            ),
        ),
        recommended=NotApplicable("how long a restart must last depends on clients, which it says"),
    ),
    Claim(
        LESSON,
        "again",
        mechanism="a bound, which is still there when the next trigger comes",
        figure="served ÷ possible after the second trigger",
        arms=(
            Arm(
                "restart, dropping those who left",
                lambda: after_both(restart_s=1, drop_on_disconnect=True),
                at_most=0.2,
            ),
            Arm(
                "restart, a bound of 61",
                lambda: after_both(restart_s=1, queue_capacity=61),
                at_most=0.2,
            ),
            Arm(
                "restart, a request timeout of 0.5 s",
                lambda: after_both(restart_s=1, request_timeout_s=0.5),
                at_least=0.9,
            ),
        ),
        recommended=(
            Recommended(
                "restart, a bound of 8",
                lambda slower: after_both(slower, restart_s=1, queue_capacity=8),
                at_least=0.85,
            ),
        ),
    ),
)
