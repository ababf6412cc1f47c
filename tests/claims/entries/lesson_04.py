"""Lesson 04: what a deadline, a bound, a budget and politeness do, each without the others."""

from __future__ import annotations

from typing import Any

from bpdemo.core.choices import Backoff
from bpdemo.core.settings import Settings
from bpdemo.lab import LoadRun, simulate
from bpdemo.lab.lessons.figures.attempts import attempt_peak
from tests.claims.entry import Arm, Claim, NotApplicable, Recommended
from tests.claims.mixed import real_orders_served
from tests.claims.virtual import goodput, naive, played

LESSON = "04_timeouts_retries_jitter"
UNEVEN = {"payment_latency_distribution": "lognormal"}


def arm(slower: float, places: int, *, told: bool) -> float:
    """The four arms of the lesson: a bound, a deadline, both or neither."""
    service = naive(queue_capacity=places, **UNEVEN)
    return goodput(service, slower=slower, send_deadline=told, seconds=16, after_s=6)


def storm(settings: Settings, slower: float = 1.0, **crowd: Any) -> LoadRun:
    """The hiccup: three seconds of a payment ten times slower; it stays `slower` all the time."""
    usual_s = settings.payment_latency_s * slower
    changes = [(5, {"payment_latency_s": 10 * usual_s}), (8, {"payment_latency_s": usual_s})]
    return played(
        settings, times=0.6, slower=slower, seconds=20, changes=changes, **{"retries": 3} | crowd
    )


def recovered(settings: Settings, slower: float = 1.0, **crowd: Any) -> float:
    """Served in time 9 to 12 seconds after the hiccup began to be over, ÷ possible."""
    return storm(settings, slower, **crowd).between(17, 20)["goodput_of_possible"]


def soon(settings: Settings, **crowd: Any) -> float:
    return storm(settings, **crowd).between(9, 12)["goodput_of_possible"]


def attempts(settings: Settings, **crowd: Any) -> float:
    """Attempts an order while the payment is slow."""
    slow = storm(settings, **crowd).between(5, 8)
    return slow["attempts_per_s"] / slow["offered_per_s"]


def polite_set() -> float:
    """A fixed set of 200 clients: their attempts with backoff ÷ without."""
    crowd: dict[str, Any] = {"scenario": "closed", "rate": 200, "seconds": 15, "retries": 6}
    waits: tuple[Backoff, ...] = ("exponential", "none")
    runs = [simulate(naive(), backoff=backoff, **crowd) for backoff in waits]
    polite, at_once = (run.between(8, 15)["attempts_per_s"] for run in runs)
    return polite / at_once


def opening(**crowd: Any) -> LoadRun:
    usual: dict[str, Any] = {"retries": 6, "backoff": "exponential"}
    return simulate(
        {"workers": 8, "queue_capacity": 16}, times=50, seconds=0.15, scenario="spike",
        bin_s=0.05, **usual | crowd,
    )  # fmt: skip


def peak_ratio(**crowd: Any) -> float:
    """The highest 50 ms after half a second, ÷ that of backoff without jitter."""
    return attempt_peak(opening(**crowd), 0.5) / attempt_peak(opening(jitter="none"), 0.5)


CLAIMS = (
    Claim(
        LESSON,
        "timeouts",
        mechanism="a service that takes no notice of callers who leave",
        figure="goodput ÷ capacity",
        arms=(
            Arm(
                "dropping on disconnect, constant service",
                lambda: goodput(naive(drop_on_disconnect=True)),
                at_most=0.1,
            ),
            Arm(
                "dropping on disconnect, lognormal service",
                lambda: goodput(naive(drop_on_disconnect=True, **UNEVEN), seconds=16, after_s=6),
                at_most=0.1,
            ),
            Arm(
                "a deadline that travels",
                lambda: goodput(naive(), send_deadline=True),
                at_least=0.9,
            ),
        ),
        recommended=NotApplicable("it recommends nothing yet; the deadline's entry does"),
    ),
    Claim(
        LESSON,
        "deadline",
        mechanism="at the usual speed either a bound of 61 or a deadline; slower, the deadline",
        figure="goodput ÷ capacity",
        arms=(
            Arm("neither", lambda: arm(1, -1, told=False), at_most=0.05),
            Arm("bound of 61", lambda: arm(1, 61, told=False), at_least=0.8),
            Arm("deadline", lambda: arm(1, -1, told=True), at_least=0.75),
            Arm("bound of 61, 2× slower", lambda: arm(2, 61, told=False), at_most=0.2),
            Arm("deadline, 2× slower", lambda: arm(2, -1, told=True), at_least=0.6),
            Arm("bound of 10, 2× slower", lambda: arm(2, 10, told=False), at_least=0.9),
            Arm(
                "deadline, 9 of 10 for what is sold out, 6× slower",
                lambda: real_orders_served(-1, 0.25, told=True),
                at_most=0.4,
            ),
            Arm(
                "the same and a bound of 10",
                lambda: real_orders_served(10, 0.25, told=True),
                at_least=0.9,
            ),
        ),
        recommended=(
            Recommended(
                "10 may wait, and a deadline",
                lambda slower: arm(slower, 10, told=True),
                at_least=0.9,
            ),
        ),
    ),
    Claim(
        LESSON,
        "retries",
        mechanism="no backlog, by a bound; few attempts, by a budget",
        figure="goodput ÷ possible, 9 to 12 s after the hiccup",
        arms=(
            Arm("neither", lambda: recovered(naive()), at_most=0.1),
            Arm("bound", lambda: recovered(naive(queue_capacity=16)), at_least=0.9),
            Arm("budget", lambda: recovered(naive(), retry_budget=0.1), at_least=0.9),
            Arm("deadline", lambda: recovered(naive(), send_deadline=True), at_least=0.9),
            Arm(
                "dropping on disconnect",
                lambda: recovered(naive(drop_on_disconnect=True)),
                at_most=0.3,
            ),
            Arm("CoDel", lambda: recovered(naive(queue_discipline="codel")), at_least=0.9),
        ),
        recommended=(
            Recommended(
                "16 may wait, budget of 0.1",
                lambda slower: recovered(naive(queue_capacity=16), slower, retry_budget=0.1),
                at_least=0.9,
            ),
        ),
    ),
    Claim(
        LESSON,
        "jitter",
        mechanism="on an open stream backoff does not make retries fewer",
        figure="goodput ÷ possible; for clients, attempts with backoff ÷ without",
        arms=(
            Arm(
                "backoff and jitter alone",
                lambda: recovered(naive(), backoff="exponential"),
                at_most=0.1,
            ),
            Arm("a fixed set of 200 clients", polite_set, at_most=0.8),
        ),
        recommended=NotApplicable("it says what backoff does not do, and recommends no value"),
    ),
    Claim(
        LESSON,
        "peak",
        mechanism="full jitter takes a crowd apart that comes back in step",
        figure="highest 50 ms ÷ that of backoff without jitter",
        arms=(
            Arm("equal jitter", lambda: peak_ratio(jitter="equal"), at_most=0.5),
            Arm(
                "no backoff at all",
                lambda: (
                    opening(backoff="none").summary["served_share"]
                    / opening(jitter="none").summary["served_share"]
                ),
                at_most=1.0,
            ),
        ),
        recommended=NotApplicable("refusals take no service time: nothing in it can get slower"),
    ),
    Claim(
        LESSON,
        "both",
        mechanism="the bound leaves no backlog; the budget keeps attempts few",
        figure="goodput ÷ possible; attempts an order",
        arms=(
            Arm("bound, 1 to 4 s after", lambda: soon(naive(queue_capacity=16)), at_least=0.9),
            Arm("budget, 1 to 4 s after", lambda: soon(naive(), retry_budget=0.1), at_most=0.5),
            Arm(
                "deadline, 1 to 4 s after", lambda: soon(naive(), send_deadline=True), at_least=0.9
            ),
            Arm("bound, attempts", lambda: attempts(naive(queue_capacity=16)), at_least=3),
            Arm("budget, attempts", lambda: attempts(naive(), retry_budget=0.1), at_most=1.3),
            Arm(
                "budget, the payment 1.5× slower",
                lambda: recovered(naive(), 1.5, retry_budget=0.1),
                at_most=0.1,
            ),
        ),
        recommended=(
            Recommended(
                "16 may wait, budget of 0.1",
                lambda slower: recovered(naive(queue_capacity=16), slower, retry_budget=0.1),
                at_least=0.9,
            ),
        ),
    ),
    Claim(
        LESSON,
        "retry-after",
        mechanism="callers come back when told",
        figure="",
        arms=NotApplicable("two crowds that differ in that alone; each is the other's arm"),
        recommended=NotApplicable("it names a price and a gain, and recommends no value"),
    ),
)
