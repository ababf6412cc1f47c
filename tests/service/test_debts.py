"""What is owed is paid, at a pace that a provider in trouble can bear, and each provider apart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bpdemo.core.errors import DependencyError
from bpdemo.core.events import AttemptEnded
from bpdemo.core.model import Order
from bpdemo.core.ports import SilentObserver
from bpdemo.downstream.memory import MemoryStore
from bpdemo.service.debts import AT_ONCE, LONG_AT_ONCE, Debts
from bpdemo.service.long_tries import (
    DOWN,
    LONGEST_TRY_S,
    REMEMBERED,
    TRY_S,
    LongTries,
    try_limit_s,
)
from bpdemo.service.turns import LONGEST_GAP_S, STEPS, Turns
from tests.flow.helpers import now, settle
from tests.service.durable import Provider, well
from tests.service.stage import opened
from tests.support.virtual import virtual

pytestmark = pytest.mark.slow


async def hangs(key: str) -> None:
    await asyncio.get_running_loop().create_future()


async def fails(key: str) -> None:
    raise DependencyError


async def fails_slowly(key: str) -> None:
    await asyncio.sleep(0.3)
    raise DependencyError


class Owing:
    """Debts to a provider and a store, each of which may be in trouble."""

    def __init__(self) -> None:
        self.provider = Provider()
        self.store = MemoryStore(1000)
        self.debts = Debts(self.provider, self.store, Random(1), SilentObserver(), lambda _: None)
        self.settled_s: dict[str, float] = {}

    def owe(self, *ids: str) -> None:
        for id in ids:
            self.debts.owe_refund(id)

    def doubt(self, id: str) -> None:
        when = datetime(2026, 1, 1, tzinfo=UTC)
        self.debts.owe_resolution(Order(id, 1, 1, 4500, when, f"key of {id}"))

    def calls_between(self, start_s: float, end_s: float) -> int:
        return sum(start_s <= at_s < end_s for at_s, _ in self.provider.refund_calls)


@asynccontextmanager
async def owing() -> AsyncIterator[Owing]:
    owing = Owing()
    yield owing
    await owing.debts.stop()
    assert owing.debts.owed == 0


@pytest.mark.parametrize("trouble", [fails, fails_slowly, hangs])
@pytest.mark.parametrize("owed", [1, 40, 2000])
@virtual
async def test_a_provider_in_trouble_is_asked_a_few_times_a_second(owed: int, trouble) -> None:
    """However much is owed, and however it fails, whatever breaker and retries are set to: they
    have no say in this."""
    async with owing() as books:
        books.provider.on_refund = trouble
        books.owe(*(f"r{n}" for n in range(owed)))
        await asyncio.sleep(60)
        assert books.calls_between(0, 60) <= 60 / LONGEST_GAP_S + AT_ONCE + STEPS
        assert books.calls_between(30, 60) <= 30 / LONGEST_GAP_S + 1


@virtual
async def test_an_outage_without_a_breaker_is_no_flood_of_refunds() -> None:
    """20 orders a second for half a minute, all of which may have been charged: four refunds are
    asked for in a second, and when the provider is well again all of them are made."""
    knobs = {"workers": 8, "queue_capacity": 400, "payment_latency_s": 0.04, "retry_attempts": 1}
    async with opened(**knobs, breaker_enabled=False) as stage:
        stage.turn(payment_failure_rate=1.0)
        calls, refund = 0, stage.assembly.payment.refund

        async def counted(key: str) -> None:
            nonlocal calls
            calls += 1
            await refund(key)

        stage.assembly.payment.refund = counted  # type: ignore[method-assign]
        for _ in range(600):
            stage.comes()
            await asyncio.sleep(0.05)
        await stage.everybody_answered()
        assert len([e for e in stage.heard(AttemptEnded) if e.outcome == "failure"]) == 600
        assert stage.office._debts.owed > 400
        assert calls <= now() / LONGEST_GAP_S + AT_ONCE + STEPS
        stage.turn(payment_failure_rate=0.0)
        began_s = now()
        await stage.office._debts.none_owed()
        assert now() - began_s < 2 + 600 * 0.04 / LONG_AT_ONCE


@pytest.mark.parametrize("trouble", [fails, hangs])
@virtual
async def test_what_is_owed_at_one_does_not_wait_for_the_other(trouble) -> None:
    """The payment is in trouble and much is owed there: the store, which is well, is asked at
    once; and the other way round."""
    async with owing() as books:
        books.provider.on_refund = trouble
        books.owe(*(f"r{n}" for n in range(200)))
        await asyncio.sleep(200)
        books.doubt("o1")
        await settle()
        assert not books.debts.in_doubt
        await books.debts.stop()

    async with owing() as books:
        books.store.void = trouble  # type: ignore[method-assign]
        for n in range(200):
            books.doubt(f"o{n}")
        await asyncio.sleep(200)
        books.owe("r1")
        await asyncio.sleep(0.05)
        assert books.provider.refunded == {"r1"}


@pytest.mark.parametrize(
    ("owed", "outage_s"), [(300, 3), (300, 200), (40, 900), (8, 900), (1, 900)]
)
@pytest.mark.parametrize("trouble", [fails, fails_slowly, hangs])
@virtual
async def test_once_a_provider_is_well_what_is_owed_is_settled_at_its_pace(
    trouble, owed: int, outage_s: float
) -> None:
    """Tries that hang since the outage hold up nobody, and are made again themselves: hundreds of
    debts take as long as their refunds, and two or three seconds. (A debt that is alone has nobody
    to learn from, and its try may last to its end.)"""
    async with owing() as books:
        books.provider.on_refund = trouble
        books.owe(*(f"r{n}" for n in range(owed)))
        await asyncio.sleep(outage_s)
        books.provider.on_refund, well_s = well, now()
        await books.debts.none_owed()
        assert len(books.provider.refunded) == owed
        most_s = 3 if owed > LONG_AT_ONCE else LONGEST_TRY_S + 3
        assert now() - well_s < most_s + owed * 0.04 / LONG_AT_ONCE


@virtual
async def test_those_that_cannot_be_settled_hold_nobody_up() -> None:
    """500 refunds that the provider will never make, and those that hang for ever beside them: one
    that it would make is made at once, however many tries of the others are due."""
    async with owing() as books:

        async def choosy(key: str) -> None:
            await (fails if key.startswith("never") else hangs if key[0] == "h" else well)(key)

        books.provider.on_refund = choosy
        books.owe(*(f"never {n}" for n in range(500)), *(f"hangs {n}" for n in range(20)))
        await asyncio.sleep(300)
        for n in range(20):
            books.owe(f"r{n}")
            asked_s = now()
            while f"r{n}" not in books.provider.refunded:  # noqa: ASYNC110 -- it tells nobody
                await asyncio.sleep(0.01)
            assert now() - asked_s < TRY_S + LONGEST_GAP_S + 0.1
            await asyncio.sleep(3)


@pytest.mark.parametrize("latency_s", [0.5, 3.0, 6.0, 20.0, 50.0])
@virtual
async def test_a_slow_provider_is_settled_all_the_same(latency_s: float) -> None:
    """It refunds at the end of its latency; among its tries are quick ones that fail."""
    async with owing() as books:

        async def slowly(key: str) -> None:
            await asyncio.sleep(latency_s)

        books.provider.on_refund = slowly
        books.owe(*(f"r{n}" for n in range(24)))
        await books.debts.none_owed()
        assert len(books.provider.refunded) == 24
        assert now() < 4 * LONGEST_TRY_S + 24 * latency_s / LONG_AT_ONCE * 2


@given(latency_s=st.floats(0.04, 50.0), per_s=st.floats(0.1, 10.0), seed=st.integers(0, 99))
@example(latency_s=0.04, per_s=10.0, seed=0)
@example(latency_s=1.1, per_s=6.0, seed=0)
@example(latency_s=1.5, per_s=5.0, seed=0)
@example(latency_s=6.0, per_s=1.0, seed=0)
@example(latency_s=50.0, per_s=10.0, seed=0)
@hypothesis_settings(max_examples=4, deadline=None)
@virtual
async def test_however_fast_new_debts_come_they_are_settled_at_the_pace_of_the_provider(
    latency_s: float, per_s: float, seed: int
) -> None:
    """As many as it can answer in the tries that may take long, once these have learnt how long:
    by doubling, so within four times its latency."""
    rng, learning_s = Random(seed), 4 * latency_s + 3
    lasts_s = 40 + learning_s + 3 * latency_s
    owed_s: list[float] = []
    async with owing() as books:

        async def slowly(key: str) -> None:
            await asyncio.sleep(latency_s)

        books.provider.on_refund = slowly
        while now() < lasts_s:
            books.owe(f"r{len(owed_s)}")
            owed_s.append(now())
            await asyncio.sleep(rng.expovariate(per_s))
        at_pace = (lasts_s - learning_s) * LONG_AT_ONCE / latency_s
        in_time = sum(at_s < lasts_s - learning_s for at_s in owed_s)
        assert len(books.provider.refunded) >= 0.8 * min(at_pace, in_time) - LONG_AT_ONCE


@pytest.mark.parametrize("slow_s", [3.0, 10.0])
@virtual
async def test_slow_refunds_among_quick_ones_are_made_as_well(slow_s: float) -> None:
    """One refund in four takes long, and new debts never cease. The quick ones must not look like
    the end of an outage that the slow ones hang since, nor always come before them."""
    async with owing() as books:

        async def either(key: str) -> None:
            await asyncio.sleep(slow_s if int(key) % 4 == 0 else 0.04)

        books.provider.on_refund = either
        for n in range(500):
            books.owe(str(n))
            await asyncio.sleep(0.5)
        oldest = {str(n) for n in range(200)}
        assert len(oldest - books.provider.refunded) < 10


# Turns


@given(
    seed=st.integers(0, 10_000),
    rush=st.integers(1, 6),
    success=st.sampled_from([0.0, 0.1, 1.0]),
)
@hypothesis_settings(max_examples=25, deadline=None)
@virtual
async def test_nobody_waits_for_those_who_come_later(seed: int, rush: int, success: float) -> None:
    """However many ask after them and have failed less often: everybody has their turn before it
    has been granted twice for each that waited as they asked, with them."""
    rng, turns = Random(seed), Turns(2)
    granted = 0

    async def visit(failed: int) -> None:
        nonlocal granted
        # With two that may have been granted a turn, and do not know yet.
        latest = granted + 2 * (len(turns._waiting) + 1) + 2
        async with turns.one(failed):
            granted += 1
            assert granted <= latest
            await asyncio.sleep(rng.uniform(0, 0.1))
        turns.succeeded() if rng.random() < success else turns.failed()

    visits = []
    for _ in range(20):
        visits += [asyncio.ensure_future(visit(rng.randrange(9))) for _ in range(rush)]
        await asyncio.sleep(rng.uniform(0, 0.3))
        rng.choice(visits).cancel()
    async with asyncio.timeout(600):
        for visited in await asyncio.gather(*visits, return_exceptions=True):
            assert visited is None or isinstance(visited, asyncio.CancelledError)
    assert not turns._waiting
    assert not turns._least_failed


@virtual
async def test_a_turn_at_this_moment_is_had_or_not() -> None:
    """Not while all are taken, while somebody waits, or before one is due; and it is given back."""
    turns = Turns(1)
    with turns.one_now() as first, turns.one_now() as second:
        assert (first, second) == (True, False)
    turns.failed()
    with turns.one_now() as too_early:
        assert not too_early
    await asyncio.sleep(LONGEST_GAP_S)
    with turns.one_now() as later:
        assert later
        waits = asyncio.ensure_future(_hold(turns))
        await settle()
    with turns.one_now() as before_others:
        assert not before_others
    await waits
    with turns.one_now() as at_last:
        assert at_last


@given(
    seed=st.integers(0, 10_000),
    success=st.sampled_from([0.0, 0.02, 0.3, 1.0]),
    lasts_s=st.sampled_from([0.0, 0.05, 2.0]),
)
@virtual
async def test_turns_are_bounded_by_what_succeeds(
    seed: int, success: float, lasts_s: float
) -> None:
    """turns ≤ t ÷ longest gap + (successes + 1) × (at once + steps) over any stretch, never more
    than are allowed at once, and nobody's end loses a turn."""
    rng, turns = Random(seed), Turns(AT_ONCE)
    began_s: list[float] = []
    succeeded_s: list[float] = []
    inside = most = 0

    async def visit() -> None:
        nonlocal inside, most
        for failed in range(rng.randrange(1, 30)):
            async with turns.one(failed):
                inside += 1
                most = max(most, inside)
                began_s.append(now())
                try:
                    await asyncio.sleep(rng.uniform(0, lasts_s))
                except asyncio.CancelledError:
                    turns.failed()  # as a try that is cut off
                    raise
                finally:
                    inside -= 1
                if rng.random() < success:
                    succeeded_s.append(now())
                    turns.succeeded()
                else:
                    turns.failed()

    visits = [asyncio.ensure_future(visit()) for _ in range(40)]
    for _ in range(20):
        await asyncio.sleep(rng.choice([0, 0, 0.01, 0.25, 1]))
        rng.choice(visits).cancel()
    await asyncio.gather(*visits, return_exceptions=True)
    assert inside == 0
    assert most <= AT_ONCE
    for first in range(0, len(began_s), 7):
        for last in range(first, len(began_s), 13):
            start_s, end_s = began_s[first], began_s[last]
            good = sum(start_s <= at_s <= end_s for at_s in succeeded_s)
            bound = (end_s - start_s) / LONGEST_GAP_S + (good + 1) * (AT_ONCE + STEPS)
            assert last - first + 1 <= bound + 1
    async with asyncio.timeout(10):  # all eight are there again
        await asyncio.gather(*(_hold(turns) for _ in range(AT_ONCE)))


@pytest.mark.parametrize("granted_first", [True, False])
@virtual
async def test_a_turn_that_is_granted_to_one_who_ends_is_not_lost(granted_first: bool) -> None:
    """Both in one step of the loop, in either order: the next in line has it."""
    turns = Turns(1)
    holder = asyncio.ensure_future(_hold(turns))
    await settle()
    leaver, next_in_line = (asyncio.ensure_future(_hold(turns)) for _ in range(2))
    await asyncio.sleep(1)
    if granted_first:
        holder.cancel()
        while not holder.done():  # noqa: ASYNC110 -- step by step
            await asyncio.sleep(0)
        leaver.cancel()
    else:
        leaver.cancel()
        holder.cancel()
    async with asyncio.timeout(3):
        await next_in_line


async def _hold(turns: Turns) -> None:
    async with turns.one(0):
        await asyncio.sleep(2)


@virtual
async def test_the_least_tried_and_the_longest_waiting_come_by_turns() -> None:
    """In whatever order they ask."""
    turns, came = Turns(1), list[int]()

    async def visit(failed: int) -> None:
        async with turns.one(failed):
            came.append(failed)
            await asyncio.sleep(0.1)

    holding = asyncio.ensure_future(visit(99))
    await settle()
    await asyncio.gather(*map(visit, [5, 9, 3, 7, 0, 4, 2]), holding)
    assert came == [99, 5, 0, 9, 2, 3, 4, 7]


# Time


def test_a_try_may_take_twice_as_long_as_the_one_before_up_to_the_longest() -> None:
    """From the first, for ever."""
    limits_s = [try_limit_s(failed) for failed in range(5000)]
    assert limits_s[0] == TRY_S
    assert all(b == min(2 * a, LONGEST_TRY_S) for a, b in pairwise(limits_s))


@virtual
async def test_only_a_few_may_take_long() -> None:
    """The others have as long as a first try."""
    long = LongTries(2)

    async def ended_s() -> float:
        with pytest.raises(DependencyError):
            await long.limit(lambda: hangs(""), 4)
        return now()

    assert sorted(await asyncio.gather(*(ended_s() for _ in range(5)))) == [1, 1, 1, 16, 16]


@pytest.mark.parametrize("failures", [0, DOWN - 1, DOWN])
@virtual
async def test_only_after_an_outage_is_a_long_try_cut_short(failures: int) -> None:
    """A success after too few failures says nothing of the others: one may just be slow."""
    long = LongTries(2)
    slow = asyncio.ensure_future(long.limit(lambda: hangs(""), 6))
    await asyncio.sleep(10)
    for _ in range(failures):
        with pytest.raises(DependencyError):
            await long.limit(lambda: fails(""), 0)
    await long.limit(lambda: well(""), 0)
    await settle()
    assert slow.done() == (failures >= DOWN)
    await asyncio.gather(slow, return_exceptions=True)
    assert now() == pytest.approx(10.04 if failures >= DOWN else LONGEST_TRY_S)


async def _takes(seconds: float) -> None:
    await asyncio.sleep(seconds)


@virtual
async def test_a_first_try_has_the_time_that_others_needed() -> None:
    """Twice as long as the slowest of the last successes took, for as long as it is one of these,
    and twice as long as the longest that ran out of time since the last one."""
    long = LongTries(2)

    async def first_limit_s() -> float:
        began_s = now()
        with pytest.raises(DependencyError):
            await long.limit(lambda: hangs(""), 0)
        return now() - began_s

    limits_s = [await first_limit_s() for _ in range(8)]
    assert limits_s == [1, 2, 4, 8, 16, 32, LONGEST_TRY_S, LONGEST_TRY_S]
    await long.limit(lambda: _takes(5), 0)
    assert await first_limit_s() == 10
    assert await first_limit_s() == 20
    for _ in range(REMEMBERED - 1):
        await long.limit(lambda: well(""), 0)
    assert await first_limit_s() == 10
    await long.limit(lambda: well(""), 0)
    assert await first_limit_s() == TRY_S


@virtual
async def test_what_is_cut_short_has_its_whole_time_the_next_time() -> None:
    """A provider that looks down and well again every few seconds: one that it takes long with ends
    at the second try at the latest."""
    long = LongTries(2)
    tries = 0

    async def slow() -> None:
        nonlocal tries
        while True:
            tries += 1
            try:
                return await long.limit(lambda: _takes(50), 6)
            except DependencyError:
                pass

    slow_one = asyncio.ensure_future(slow())
    while not slow_one.done():
        await asyncio.sleep(3)
        for _ in range(DOWN):
            with pytest.raises(DependencyError):
                await long.limit(lambda: fails(""), 0)
        await long.limit(lambda: well(""), 0)
    assert tries == 2
    assert now() < 60
