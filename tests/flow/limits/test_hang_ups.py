"""Callers who give up, before any limit: a time that was cut short is no sample of a short time."""

import asyncio
from dataclasses import replace
from functools import cache
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.flow.limiter import Limit
from bpdemo.flow.limits.choice import LIMITS, LimitChoice
from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import Visit
from bpdemo.sim import virtual_time
from bpdemo.sim.visit import Answer, Edge
from tests.service.stage import Stage

NAMES = sorted(LIMITS)
#: What each believes a call takes at its shortest, or usually.
ESTIMATES = {"vegas": "_noload_s", "gradient": "_min_rtt_s", "gradient2": "_long_s"}

CHOICE = LimitChoice(algorithm="own", start=20, low=1, high=1000)
TIMES = st.sampled_from([1e-3, 0.02, 0.039, 0.04, 0.05, 0.1, 0.5, 5.0])


def made(name: str) -> Limit:
    return replace(CHOICE, algorithm=cast(Any, name)).make(Random(7))


@pytest.mark.parametrize("name", sorted(ESTIMATES))
@given(st.lists(st.tuples(TIMES, st.booleans(), st.floats(0, 0.3)), max_size=300), st.booleans())
def test_no_call_that_was_cut_short_lowers_what_a_limit_believes(
    name: str, calls: list[tuple[float, bool, float]], knows: bool
) -> None:
    """However calls that are answered mix with calls that are not: an estimate never falls below
    all the answered ones, and never by a call that was dropped while nothing else was due."""
    limit, now, answered = made(name), 100.0, []
    for latency_s, dropped, after_s in [(0.04, False, 0.01)] * 200 * knows + calls:
        now += after_s
        believed = getattr(limit, ESTIMATES[name])
        if not dropped:
            answered.append(latency_s)
        limit.learn(int(limit.current), latency_s, dropped=dropped, now=now, was_full=True)
        believes = getattr(limit, ESTIMATES[name])
        if dropped and name != "gradient2":  # which ends a window of other calls by it
            assert believes >= believed
        if believes:
            assert believes >= min([*answered, 5.0]) * (1 - 1e-9)


@pytest.mark.parametrize("name", sorted(ESTIMATES))
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_hasty_callers_move_no_estimate(name: str, share: float) -> None:
    """A service of 40 ms has an own time of 40 ms, even where most leave after one."""
    limit, draw, now = made(name), Random(5), 100.0
    for _ in range(20_000):
        now += 0.002
        hasty = draw.random() < share
        latency_s = 0.001 if hasty else 0.04
        limit.learn(8, latency_s, dropped=hasty, now=now, was_full=False)
    assert getattr(limit, ESTIMATES[name]) == pytest.approx(0.04)


def test_a_probe_that_is_due_waits_for_a_call_that_is_answered() -> None:
    """Vegas' least rtt is measured anew by the next sample, which nobody cut short."""
    limit = cast(Any, made("vegas"))
    for _ in range(2000):
        limit.learn(8, 0.04, dropped=False, now=0.0, was_full=False)
        limit._since_probe = 10**9
        for cut_s in (0.001, 0.03):
            limit.learn(8, cut_s, dropped=True, now=0.0, was_full=False)
            assert limit._noload_s == 0.04


SECONDS, WARM_S, LOAD = 9.0, 2.0, 0.6
SERVICE = {
    "workers": 8, "queue_capacity": 32, "payment_latency_s": 0.04, "store_latency_s": 0.002,
    "seed": 1, "request_timeout_s": 2.0, "attempt_timeout_s": 1.5, "log_level": "error",
}  # fmt: skip


@cache
def honest_share(name: str, scatter: str, share: float, after_s: float, told: bool) -> float:
    """Of the callers who would wait, how many a service under that limit serves; `share` of all
    give up after `after_s`, by a hang-up or, `told`, by a deadline."""
    heard: list[bool] = []

    async def play() -> None:
        knobs = SERVICE | {"limit_algorithm": name, "payment_latency_distribution": scatter}
        stage, loop, draw = Stage(knobs), asyncio.get_running_loop(), Random(3)
        await stage.office.start()
        edge, began_s, due_s = Edge(stage.office), loop.time(), 0.0
        while due_s < SECONDS:
            due_s += draw.expovariate(LOAD * 8 / 0.042)
            hasty, item = draw.random() < share, draw.randrange(1, 100)
            await asyncio.sleep(began_s + due_s - loop.time())
            told_ms = round(after_s * 1000) if hasty and told else None
            plan = cast(Plan, SimpleNamespace(told_timeout_ms=told_ms))
            leaves_s = loop.time() + (after_s if hasty and not told else 1.0)
            counts = due_s > WARM_S and not hasty

            def hear(answer: Answer, *, counts: bool = counts) -> None:
                if counts:
                    heard.append(answer.status == 201)

            edge.take(Visit(due_s, item, "", "", ""), plan, leaves_s, hear)
        await stage.office.drain(5)
        await stage.office.stop()

    virtual_time.run(play(), limit_s=1000)
    return sum(heard) / len(heard)


HASTY, ALMOST, LATER, TOLD = (
    (0.3, 0.001, False), (0.3, 0.038, False), (0.3, 0.06, False), (0.6, 0.002, True),
)  # fmt: skip
#: Vegas takes times that differ by nature for a queue, and is no measure of hang-ups there.
ROWS = [
    *((name, "constant", mixture) for name in NAMES for mixture in (HASTY, LATER, TOLD)),
    *((name, "exponential", mix) for name in NAMES if name != "vegas" for mix in (ALMOST, LATER)),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "scatter", "mixture"), ROWS)
def test_who_gives_up_costs_the_others_nothing(
    name: str, scatter: str, mixture: tuple[float, float, bool]
) -> None:
    """Below capacity: of those who wait as many are served as if nobody left, whether the others
    leave at once, shortly before or after the service's usual time, or name a tiny deadline."""
    without = honest_share(name, scatter, 0.0, 0.0, False)
    assert honest_share(name, scatter, *mixture) >= without - 0.02
