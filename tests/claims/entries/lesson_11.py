"""Lesson 11: limits that adapt, their fixed rival, their drift, and what exploring costs."""

from __future__ import annotations

from typing import Any

from bpdemo.lab import simulate
from bpdemo.lab.lessons.limit_rules import LimitRule, simulate_rule
from tests.claims.entry import Arm, Claim, NotApplicable, Recommended
from tests.claims.virtual import goodput, naive

LESSON = "11_limits_that_find_themselves"
UNEVEN: dict[str, Any] = {"payment_latency_distribution": "lognormal"}


def rule(timeout_s: float = 0.2, *, grows_unused: bool = False) -> LimitRule:
    """The lesson's six lines, with that timeout."""

    def aimd(limit: float, in_flight: int, latency_s: float, dropped: bool) -> float:
        if dropped or latency_s > timeout_s:
            return 0.9 * limit
        if grows_unused or 2 * in_flight >= limit:
            return limit + 1
        return limit

    return aimd


def slow_day(timeout_s: float, *, cut_once: bool) -> float:
    """Lesson 02's day, after the payment has become twice as slow."""
    changes = [(10, {"payment_latency_s": 0.08})]
    run = simulate_rule(rule(timeout_s), cut_once=cut_once, times=0.9, seconds=40, changes=changes)
    return run.between(20, 40)["goodput_of_possible"]


def rushed(timeout_s: float = 0.2, *, cut_once: bool = True, slower: float = 1.0) -> float:
    """At twice the capacity, after five seconds."""
    usual = {"payment_latency_s": 0.04 * slower, "store_latency_s": 0.002 * slower}
    run = simulate_rule(rule(timeout_s), cut_once=cut_once, knobs=usual, times=2, seconds=30)
    return run.between(5, 30)["goodput_of_possible"]


def burst(*, grows_unused: bool) -> float:
    """Five times the capacity, after a quiet time."""
    run = simulate_rule(
        rule(grows_unused=grows_unused), cut_once=True, times=5, scenario="spike", seconds=15
    )
    return run.between(6, 10)["goodput_of_possible"]


def drifting(seconds: float = 720.0, times: float = 1.2, **knobs: Any) -> float:
    """Two workers in a steady load: the last two minutes."""
    run = simulate(naive(workers=2, **knobs), times=times, seconds=seconds, bin_s=30)
    return run.between(seconds - 120, seconds)["goodput_of_possible"]


def idle_in_a_probe(**knobs: Any) -> float:
    """The greatest share of eight workers that was idle in half a second, after 55 s."""
    run = simulate(naive(**knobs), times=2, seconds=80, bin_s=0.5)
    busy = run.frame[run.frame.t_s >= 55].workers_busy
    return 1 - float(busy.min()) / 8


CLAIMS = (
    Claim(
        LESSON,
        "timeout",
        mechanism="AIMD hears of overload by its own timeout alone",
        figure="goodput ÷ possible",
        arms=(
            Arm("timeout of 0.2 s", lambda: slow_day(0.2, cut_once=False), at_least=0.5),
            Arm("the same, once a flight", lambda: slow_day(0.2, cut_once=True), at_least=0.8),
            Arm("timeout of 5 s, once a flight", lambda: slow_day(5, cut_once=True), at_most=0.2),
        ),
        recommended=NotApplicable("it says what a timeout of 5 s does not do"),
    ),
    Claim(
        LESSON,
        "sawtooth",
        mechanism="one overload cuts once, and not once for each call inside",
        figure="goodput ÷ possible",
        arms=(
            Arm("once a flight, timeout of 5 s", lambda: rushed(5), at_most=0.1),
            Arm("in a burst, as it is", lambda: burst(grows_unused=False), at_least=0.9),
            Arm("in a burst, growth without use", lambda: burst(grows_unused=True), at_most=0.7),
        ),
        recommended=(
            Recommended(
                "timeout of 0.2 s, once a flight",
                lambda slower: rushed(slower=slower),
                at_least=0.9,
            ),
        ),
    ),
    Claim(
        LESSON,
        "rival",
        mechanism="how many orders are in flight, by whatever rule",
        figure="goodput ÷ possible",
        arms=(
            Arm(
                "neither",
                lambda: goodput(naive(workers=4, **UNEVEN), seconds=20),
                at_most=0.1,
            ),
            Arm(
                "CoDel",
                lambda: goodput(
                    naive(workers=4, queue_discipline="codel", **UNEVEN), slower=2, seconds=20
                ),
                at_least=0.9,
            ),
            Arm(
                "Envoy's gradient, with its probes",
                lambda: goodput(naive(workers=4, limit_algorithm="gradient", **UNEVEN), seconds=20),
                at_least=0.7,
            ),
        ),
        recommended=(
            Recommended(
                "fixed 8 for 4 workers",
                lambda slower: goodput(
                    naive(workers=4, max_in_flight=8, **UNEVEN), slower=slower, seconds=20
                ),
                at_least=0.9,
            ),
        ),
    ),
    Claim(
        LESSON,
        "drift",
        mechanism="a reference that follows the overload which it should judge",
        figure="goodput ÷ possible in the last two minutes",
        arms=(
            Arm(
                "Gradient2 below capacity (0.95)",
                lambda: drifting(times=0.95, limit_algorithm="gradient2"),
                at_least=0.85,
            ),
            Arm("Vegas", lambda: drifting(limit_algorithm="vegas"), at_least=0.85),
            Arm(
                "Gradient2, three minutes",
                lambda: drifting(180.0, limit_algorithm="gradient2"),
                at_least=0.9,
            ),
        ),
        recommended=NotApplicable("it advises how long to try, and no value for a limit"),
    ),
    Claim(
        LESSON,
        "exploring",
        mechanism="a probe that pins the limit below the workers",
        figure="workers idle in the worst half second",
        arms=(
            Arm("a fixed 16", lambda: idle_in_a_probe(max_in_flight=16), at_most=0.1),
            Arm(
                "Gradient2, which never steps back",
                lambda: idle_in_a_probe(limit_algorithm="gradient2"),
                at_most=0.1,
            ),
        ),
        recommended=NotApplicable("it names a price, and recommends no value"),
    ),
    Claim(
        LESSON,
        "home",
        mechanism="a limit in front of the shop, which lets in no more than are served",
        figure="",
        arms=NotApplicable("one middleware before a real shop: nothing else limits anything there"),
        recommended=NotApplicable("it recommends a limit that needs no value"),
    ),
)
