"""Lesson 02: a count is right for one speed; what limits time is right for any."""

from __future__ import annotations

from functools import partial

from bpdemo.core.settings import Settings
from bpdemo.lab import simulate
from bpdemo.lab.lessons.timeouts import goodput_if_timeouts_differ
from tests.claims.entry import Arm, Claim, NotApplicable, Recommended
from tests.claims.virtual import careful, goodput, naive, played

LESSON = "02_bounded_queue_and_workers"
GATE = {"times": 0.9, "after_s": 6.0}
"""What a rate limit of 90% lets through."""


def waits(**knobs: object) -> Settings:
    return careful(**{"queue_capacity": 32, "queue_policy": "block"} | knobs)


def slope(places: int) -> float:
    run = simulate(naive(queue_capacity=places), times=2, seconds=8, client_timeout_s=30)
    return goodput_if_timeouts_differ(run, median_s=0.5, after_s=4)


def obedient(settings: Settings, slower: float = 1.0) -> float:
    """What sixteen users who wait for their answers offer, ÷ capacity."""
    slow = settings.changed({"payment_latency_s": settings.payment_latency_s * slower})
    run = simulate(slow, scenario="closed", rate=16, seconds=8).between(4, 8)
    return run["offered_per_s"] / run["capacity_per_s"]


CLAIMS = (
    Claim(
        LESSON,
        "cliff",
        mechanism="the length of the queue, with constant service and one timeout for all",
        figure="goodput ÷ possible",
        arms=(
            Arm("four may wait", lambda: goodput(naive(queue_capacity=4)), at_least=0.9),
            Arm("61, timeouts differ", lambda: slope(61), at_most=0.85),
            Arm(
                "61, the payment 1.5× slower",
                lambda: goodput(naive(queue_capacity=61), slower=1.5),
                at_most=0.1,
            ),
        ),
        recommended=(
            Recommended(
                "10 may wait",
                lambda slower: goodput(naive(queue_capacity=10), slower=slower),
                at_least=0.9,
            ),
        ),
    ),
    Claim(
        LESSON,
        "slope",
        mechanism="timeouts that differ from customer to customer",
        figure="goodput ÷ capacity",
        arms=(
            Arm(
                "one timeout, 61 may wait", lambda: goodput(naive(queue_capacity=61)), at_least=0.9
            ),
            Arm(
                "one timeout, 122 may wait", lambda: goodput(naive(queue_capacity=122)), at_most=0.1
            ),
        ),
        recommended=NotApplicable("it recommends no length; the cliff's entry does"),
    ),
    Claim(
        LESSON,
        "hockey-stick",
        mechanism="the randomness of arrivals and service times, and nothing else in the service",
        figure="",
        arms=NotApplicable("six points, of one worker and of eight, each against its formula"),
        recommended=NotApplicable("it recommends no value; waits are given in service times"),
    ),
    Claim(
        LESSON,
        "few-places",
        mechanism="few waiting: a length far below the ceiling at any speed that is to be expected",
        figure="goodput ÷ possible",
        arms=(
            Arm(
                "61 may wait, the payment 1.5× slower",
                lambda: goodput(naive(queue_capacity=61), slower=1.5),
                at_most=0.25,
            ),
            Arm(
                "10 may wait, the payment 3× slower",
                lambda: goodput(naive(queue_capacity=10), slower=3),
                at_least=0.9,
            ),
        ),
        recommended=(
            Recommended(
                "10 may wait",
                lambda slower: goodput(naive(queue_capacity=10), slower=slower),
                at_least=0.9,
            ),
        ),
    ),
    Claim(
        LESSON,
        "cliff-live",
        mechanism="the length of the queue, over HTTP",
        figure="",
        arms=NotApplicable("the live twin of the cliff: one service, one number; arms are there"),
        recommended=NotApplicable("the live twin of the cliff, whose entry has the value"),
    ),
    Claim(
        LESSON,
        "three-answers",
        mechanism="what a full queue does, and how long the line outside may be",
        figure="goodput ÷ possible",
        arms=(
            Arm("wait, 64 outside", lambda: goodput(waits()), at_most=0.1),
            Arm("wait, 8 outside", lambda: goodput(waits(queue_block_waiters=8)), at_least=0.9),
            Arm("refuse", lambda: goodput(careful(queue_capacity=32)), at_least=0.9),
            Arm(
                "drop, without a bound",
                lambda: goodput(naive(queue_discipline="codel")),
                at_least=0.9,
            ),
        ),
        recommended=(
            Recommended(
                "drop (CoDel)",
                lambda slower: goodput(naive(queue_discipline="codel"), slower=slower),
                at_least=0.9,
            ),
        ),
    ),
    Claim(
        LESSON,
        "obedience",
        mechanism="a producer that waits, and a service that makes it wait",
        figure="offered ÷ capacity",
        arms=(
            Arm(
                "the service makes it wait, the producer ignores it",
                lambda: (
                    played(careful(queue_capacity=0, queue_policy="block")).between(4, 12)[
                        "offered_per_s"
                    ]
                    * 0.042
                    / 8
                ),
                at_least=1.5,
            ),
        ),
        recommended=(
            Recommended(
                "block with no queue, 16 users",
                partial(
                    obedient,
                    careful(queue_capacity=0, queue_policy="block", queue_block_waiters=16),
                ),
                at_least=0.9,
                at_most=1.1,
            ),
        ),
    ),
    Claim(
        LESSON,
        "obedience-live",
        mechanism="the same, over HTTP",
        figure="",
        arms=NotApplicable("the live twin of obedience; the arms are there"),
        recommended=NotApplicable("the live twin of obedience, whose entry has the value"),
    ),
    Claim(
        LESSON,
        "rate-limit",
        mechanism="a short bound, which is refused at; the rate limit stays as it was",
        figure="goodput ÷ possible, the payment 2× slower",
        arms=(
            Arm("no bound", lambda: goodput(naive(), slower=2, **GATE), at_most=0.1),
            Arm(
                "a bound of 61",
                lambda: goodput(naive(queue_capacity=61), slower=2, **GATE),
                at_most=0.1,
            ),
            Arm(
                "a deadline, no bound",
                lambda: goodput(naive(), slower=2, send_deadline=True, **GATE),
                at_least=0.9,
            ),
        ),
        recommended=(
            Recommended(
                "8 may wait",
                lambda slower: goodput(naive(queue_capacity=8), slower=slower, **GATE),
                at_least=0.9,
            ),
        ),
    ),
    Claim(
        LESSON,
        "limit-on-time",
        mechanism="CoDel looks at how long orders have waited",
        figure="goodput ÷ possible, the payment 7× slower",
        arms=(
            Arm(
                "a bound of 8",
                lambda: goodput(naive(queue_capacity=8), slower=7, **GATE),
                at_most=0.1,
            ),
            Arm(
                "a deadline, no bound",
                lambda: goodput(naive(), slower=7, send_deadline=True, **GATE),
                at_least=0.7,
            ),
        ),
        recommended=(
            Recommended(
                "CoDel, no bound",
                lambda slower: goodput(naive(queue_discipline="codel"), slower=slower, **GATE),
                at_least=0.9,
            ),
        ),
    ),
    Claim(
        LESSON,
        "little",
        mechanism="none: a law, true of whatever happens in between",
        figure="",
        arms=NotApplicable("a law has no mechanism; the test breaks the gauge that it checks"),
        recommended=NotApplicable("it recommends no value at all"),
    ),
    Claim(
        LESSON,
        "theory",
        mechanism="the service's queue is the textbook's",
        figure="",
        arms=NotApplicable("two queues (0 and 10 places) at three loads, each against its formula"),
        recommended=NotApplicable("it recommends no value; the formula holds at any service time"),
    ),
)
