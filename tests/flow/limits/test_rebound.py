"""Bounds that are turned while a limit is at work, at whatever moment of its probes and dips."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.flow.limiter import Limit
from bpdemo.flow.limits.choice import LIMITS, LimitChoice

NAMES = sorted(LIMITS)


def choice(name: str, low: int = 1, high: int = 1000) -> LimitChoice:
    return LimitChoice(algorithm=name, start=40, low=low, high=high)  # type: ignore[arg-type]


def calls(seed: int, limit: Any) -> Iterator[float]:
    """What it stands at after each of endless calls at a service with 20 workers."""
    draw, now = Random(seed), 100.0
    while True:
        inside = min(limit.current, draw.randint(5, 60))
        now += 0.04 / min(inside, 20)
        latency_s = 0.04 * max(1.0, inside / 20) * draw.uniform(1, 1.2)
        full = inside >= limit.current
        limit.learn(int(inside), latency_s, dropped=draw.random() < 0.02, now=now, was_full=full)
        yield limit.current


def learnt(name: str, count: int, seed: int = 1) -> tuple[Limit, Iterator[float]]:
    limit = choice(name).make(Random(seed))
    path = calls(seed, limit)
    for _ in range(count):
        next(path)
    return limit, path


@pytest.mark.parametrize("name", NAMES)
@given(st.integers(0, 700), st.integers(0, 50))
def test_bounds_that_do_not_bind_change_nothing(name: str, moment: int, seed: int) -> None:
    """Turned at any call, in the midst of a probe or a dip: the limit goes on as without."""
    left, left_path = learnt(name, moment, seed)
    turned, turned_path = learnt(name, moment, seed)
    assert choice(name, high=5000).rebound(turned, None) is turned
    assert choice(name).rebound(turned, None) is turned
    assert turned.current == left.current
    assert [next(turned_path) for _ in range(200)] == [next(left_path) for _ in range(200)]


@pytest.mark.parametrize("name", NAMES)
@given(st.integers(0, 700), st.integers(1, 60), st.integers(0, 30), st.integers(0, 50))
def test_new_bounds_hold_from_that_moment_on(
    name: str, moment: int, low: int, above: int, seed: int
) -> None:
    """Whatever it was at; only a probe may go below the least, and it begins anew from no bound."""
    limit, path = learnt(name, moment, seed)
    choice(name, low, low + above).rebound(limit, None)
    floor = min(low, 3) if name == "gradient" else low
    assert floor <= limit.current <= low + above
    for _ in range(100):
        assert floor <= next(path) <= low + above


@pytest.mark.parametrize("probing", [True, False])
def test_a_limit_that_probes_goes_on_from_where_it_stood(probing: bool) -> None:
    """Turned while it is pinned to three, it comes back to the forty that it kept, or to as many as
    are allowed now; a probe lets in no more than that either."""
    limit: Any = choice("gradient").make(Random(1))
    for number in range(40 if probing else 60):
        limit.learn(1, 0.04, dropped=False, now=100 + number / 1000, was_full=False)
    for high, then in ((1000, 40), (30, 30), (2, 2)):
        choice("gradient", high=high).rebound(limit, None)
        assert limit.current == (min(3, high) if probing else then)
        assert limit._kept == then
        assert limit._min_rtt_s == (0 if probing else 0.04)


@pytest.mark.parametrize(
    ("name", "estimate"),
    [("vegas", "_noload_s"), ("gradient", "_min_rtt_s"), ("gradient2", "_long_s")],
)
def test_what_a_call_takes_is_not_forgotten(name: str, estimate: str) -> None:
    """A bound says nothing of the service, even one that binds."""
    limit, _ = learnt(name, 3000)
    believed = getattr(limit, estimate)
    assert believed > 0
    choice(name, 2, 4).rebound(limit, None)
    assert getattr(limit, estimate) == believed


def test_our_own_limit_keeps_its_level_through_a_dip() -> None:
    """Where it explores is not where it stands."""
    limit: Any = choice("own").make(Random(1))
    path = calls(1, limit)
    while limit.current != limit._dip:
        next(path)
    level = limit._level
    choice("own", high=900).rebound(limit, None)
    assert (limit._level, limit.current) == (level, limit._dip)
    choice("own", high=int(level) - 3).rebound(limit, None)
    assert limit._level == limit.current == int(level) - 3
