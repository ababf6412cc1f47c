"""A breaker whose dependency is well again closes, and within a bound, whatever its knobs."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bpdemo.assembly import slices
from bpdemo.core.errors import CircuitOpen, DependencyError
from bpdemo.core.events import BreakerMoved
from bpdemo.core.ports import NullTracer
from bpdemo.core.settings import Settings
from bpdemo.flow.breaker import GRACE_S, Breaker
from bpdemo.flow.budget import RetryBudget
from bpdemo.flow.guard import Guard
from bpdemo.service.tuning import Tuning
from tests.flow.helpers import Ears, now
from tests.support.examples import examples
from tests.support.virtual import virtual


@dataclass
class Call:
    """One that was let through; `ended_s` is None while it runs."""

    started_s: float
    ended_s: float | None = None


@dataclass
class Dependency:
    """Fails at once while it is `down`; else it answers after `latency_s`."""

    latency_s: float
    down: bool = False
    calls: list[Call] = field(default_factory=list)

    async def __call__(self) -> None:
        call = Call(now())
        self.calls.append(call)
        try:
            if self.down:
                raise DependencyError
            await asyncio.sleep(self.latency_s)
        finally:
            call.ended_s = now()


class Bench:
    """A dependency behind its guard, with customers who come one by one and do not wait."""

    def __init__(self, tuning: Tuning, latency_s: float) -> None:
        clock = asyncio.get_running_loop().time
        self.ears = Ears()
        self.dependency = Dependency(latency_s)
        self.breaker = Breaker(tuning.breaker, "payment", clock, self.ears)
        self.guard = Guard(
            "payment",
            tuning.guard,
            self.breaker,
            RetryBudget(tuning.budget, clock),
            clock=clock,
            rng=Random(1),
            observer=self.ears,
            tracer=NullTracer(),
        )
        self.customers: list[asyncio.Task[None]] = []

    async def comes(self) -> None:
        """One customer; over when the dependency has been reached, or was not."""

        async def try_once() -> None:
            with suppress(CircuitOpen, DependencyError):
                await self.guard.attempt(self.dependency)

        self.customers.append(asyncio.create_task(try_once()))
        await asyncio.sleep(0)

    async def go_down(self) -> None:
        """An outage that has just opened the breaker."""
        self.dependency.down = True
        while self.breaker.state != "open":
            await self.comes()
        self.dependency.down = False

    def retune(self, tuning: Tuning) -> None:
        self.guard.policy = tuning.guard
        self.breaker.retune(tuning.breaker)

    @property
    def moves(self) -> list[str]:
        return [move.to for move in self.ears.heard(BreakerMoved)]

    def lapsed(self, ttl_s: float) -> int:
        """How many have been out for longer than a permit lasts."""
        lengths = [(c.ended_s or now()) - c.started_s for c in self.dependency.calls]
        return sum(length > ttl_s + GRACE_S - 1e-9 for length in lengths)


async def closes(bench: Bench, before: Tuning, after: Tuning, turn_at: int, gap_s: float) -> None:
    """Customers come every `gap_s` to a dependency that is well; at one of them the knobs turn.

    It closes after the open time, N customers and one answer at the latest, and lets through no
    more than N, and one for each permit that lapsed, until then.
    """
    calls = bench.dependency.calls
    calls.clear()
    both = (before.breaker, after.breaker)
    most = max(policy.half_open_calls for policy in both)
    ttl_s = min(policy.permit_ttl_s for policy in both)
    takes_s = max(policy.open_s for policy in both) + bench.dependency.latency_s
    takes_s += (most + 2) * gap_s
    at_latest_s = now() + takes_s
    customers = 0
    while bench.breaker.state != "closed":
        assert now() <= at_latest_s, "still not closed"
        if customers == turn_at:
            bench.retune(after)
            at_latest_s = now() + takes_s
        if bench.breaker.state == "closed":
            break  # fewer are asked for now than have succeeded
        await bench.comes()
        assert len(calls) <= most + bench.lapsed(ttl_s), "a crowd"
        await asyncio.sleep(gap_s)
        customers += 1
    assert bench.moves[-2:] == ["half_open", "closed"]
    await asyncio.gather(*bench.customers)
    assert bench.moves[-1] == "closed", "what answered later opened it"


KNOBS = st.fixed_dictionaries(
    {
        "breaker_failure_ratio": st.sampled_from([0.0, 0.01, 0.5, 1.0]),
        "breaker_min_calls": st.sampled_from([1, 3, 20]),
        "breaker_window_s": st.sampled_from([0.0, 0.1, 10.0, 3600.0]),
        "breaker_open_s": st.sampled_from([0.0, 0.05, 0.5, 5.0, 60.0]),
        "breaker_half_open_calls": st.sampled_from([1, 2, 3, 10]),
        "attempt_timeout_s": st.sampled_from([0.0, 0.0, 0.3, 8.0]),
    }
)
SLOW: dict[str, Any] = {
    "breaker_failure_ratio": 0.5,
    "breaker_min_calls": 20,
    "breaker_window_s": 10.0,
    "breaker_open_s": 5.0,
    "breaker_half_open_calls": 3,
    "attempt_timeout_s": 0.0,
}


@settings(max_examples=examples(120), deadline=None, derandomize=True)
@given(
    before=KNOBS,
    after=KNOBS,
    turn_at=st.integers(0, 40),
    latency_s=st.sampled_from([0.0, 0.04, 0.29, 0.45, 5.05, 5.2, 7.9, 70.0]),
    customers=st.sampled_from([3, 12, 50]),
    outages=st.integers(1, 2),
)
@example(before=SLOW, after=SLOW, turn_at=0, latency_s=6.0, customers=50, outages=1)
@virtual
async def test_it_closes_within_its_bound_whatever_the_knobs(
    before: dict[str, Any],
    after: dict[str, Any],
    turn_at: int,
    latency_s: float,
    customers: int,
    outages: int,
) -> None:
    """Also when each probe lapses before it answers, and when the knobs turn on the way."""
    for knobs in (before, after):  # what times out is not well
        if 0 < knobs["attempt_timeout_s"] <= latency_s:
            knobs["attempt_timeout_s"] = 0.0
    tuned = [slices.tuning(Settings(**knobs)) for knobs in (before, after)]
    bench = Bench(tuned[0], latency_s)
    gap_s = 0.01 + (latency_s + tuned[0].breaker.open_s) / customers
    for _ in range(outages):
        await bench.go_down()
        bench.retune(tuned[0])
        await closes(bench, tuned[0], tuned[1], turn_at, gap_s)


@pytest.mark.parametrize(
    ("open_s", "late_s", "probes"), list(product([0.5, 5.0], [0.11, 1.0, 30.0], [1, 3]))
)
@virtual
async def test_slower_than_a_permit_lasts_is_not_down(
    open_s: float, late_s: float, probes: int
) -> None:
    """With no attempt timeout a permit lasts `breaker_open_s`, which says nothing of the payment:
    an outage of ten seconds before one that takes longer is over when it is over."""
    knobs = SLOW | {"breaker_open_s": open_s, "breaker_half_open_calls": probes}
    tuning = slices.tuning(Settings(**knobs))
    bench = Bench(tuning, open_s + late_s)
    bench.dependency.down = True
    while now() < 10:
        await bench.comes()
        await asyncio.sleep(0.02)
    bench.dependency.down = False
    await closes(bench, tuning, tuning, 0, gap_s=0.02)
    bench.dependency.calls.clear()
    for _ in range(100):
        await bench.comes()
        await asyncio.sleep(0.02)
    assert len(bench.dependency.calls) == 100, "somebody was refused afterwards"
    await asyncio.gather(*bench.customers)
