"""A promise fails for what was said of it, and not for what befell everybody; money goes back."""

import asyncio
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.core.errors import DependencyError, PoolExhausted, SoldOut
from bpdemo.flow.backoff import backoff_s
from bpdemo.service.durable_work import BACKOFF, GIVE_UP_S, TRIES
from bpdemo.service.long_tries import TRY_S
from tests.flow.helpers import now, settle
from tests.service.durable import Fate, Shift, well
from tests.support.virtual import virtual

Raised = Callable[[], BaseException]


def unreached() -> DependencyError:
    return DependencyError("connection refused", asked=False)


def down_until(end_s: float, error: Raised) -> Fate:
    async def answer(key: str) -> None:
        await well(key)
        if now() < end_s:
            raise error()

    return answer


@pytest.mark.parametrize("outage_s", [80, 100, 120, 150, 1200])
@virtual
async def test_an_outage_fails_no_backlog_behind_its_breaker(outage_s: float) -> None:
    """120 promises, a provider that answers each call with an error: the breaker spares most of
    them the question, and none fails that was not asked for often enough."""
    shift = Shift(120)
    shift.provider.on_charge = down_until(outage_s, DependencyError)
    await shift.keep_all()
    failed = {id for id in shift.ids if shift.standing(id).status == "failed"}
    assert all(shift.provider.asked[id] >= TRIES for id in failed)
    assert len(failed) <= sum(shift.provider.asked.values()) / TRIES
    if outage_s <= 150:
        assert not failed
    assert shift.provider.charged - failed == set(shift.ids) - failed
    assert max(shift.ended_s.values()) < outage_s + 60


@pytest.mark.parametrize("breaker", [True, False])
@pytest.mark.parametrize("error", [unreached, PoolExhausted])
@virtual
async def test_what_could_not_be_asked_is_not_held_against_a_promise(
    error: Raised, breaker: bool
) -> None:
    """An hour in which no call leaves us, breaker or not: all are sold when that is over."""
    shift = Shift(4, breaker_enabled=breaker)
    shift.provider.on_charge = down_until(3600, error)
    await shift.keep_all()
    assert {shift.standing(id).status for id in shift.ids} == {"confirmed"}
    assert max(shift.ended_s.values()) < 3600 + 60


ASKED: dict[str, Raised] = {
    "failed": DependencyError,
    "broken": KeyError,
    "cancelled": asyncio.CancelledError,
}
UNASKED: dict[str, Raised] = {"unreached": unreached, "no connection": PoolExhausted}
RAISED: dict[str, Raised] = {**ASKED, **UNASKED}


@given(
    fates=st.lists(st.sampled_from([*RAISED, "circuit open", "hangs", "killed"]), max_size=40),
    where=st.sampled_from(["charge", "confirm"]),
)
@virtual
async def test_a_try_counts_if_and_only_if_somebody_was_asked(fates: list[str], where: str) -> None:
    """Whatever befalls a promise, and in whatever order, it fails with the tenth try that asked for
    it, never before; if it is spared that, it is sold."""
    shift = Shift(1, retry_attempts=1, breaker_enabled=False, attempt_timeout_s=0.5)
    await shift.promise("o0")
    counted, expected = shift.backlog.tries, 0
    real, target = (
        (shift.provider.charge, shift.provider)
        if where == "charge"
        else (shift.backlog.confirm, shift.backlog)
    )
    for number, fate in enumerate(fates):

        async def call(*args: object, fate: str = fate) -> None:
            if fate in RAISED:
                raise RAISED[fate]()
            await asyncio.sleep(60)

        setattr(target, where, call)
        guard = shift.payment_guard if where == "charge" else shift.store_guard
        if fate == "circuit open":
            guard.breaker._move_to("open")
        task = asyncio.ensure_future(shift.work.work("o0", number))
        if fate == "killed":
            await settle()
            task.cancel()
        (ended,) = await asyncio.gather(task, return_exceptions=True)
        guard.breaker._move_to("closed")
        expected += fate in ASKED or fate == "hangs"
        if expected == TRIES:
            assert ended is None
            assert shift.standing("o0").status == "failed"
            assert shift.outcomes("o0")[-1] == "failed"
            assert "o0" in shift.provider.refunded
            return
        assert counted["o0"] == expected
        assert shift.standing("o0").status == "pending"
        assert isinstance(ended, asyncio.CancelledError if fate == "killed" else float)
    setattr(target, where, real)
    assert await shift.work.work("o0", len(fates)) is None
    assert shift.standing("o0").status == "confirmed"


@pytest.mark.parametrize("error", [unreached, PoolExhausted, DependencyError])
@virtual
async def test_age_ends_what_no_try_could(error: Raised) -> None:
    """A day old, and nobody could be asked for it again: it fails, with its charge barred; a moment
    younger it is kept, and one that can be sold at last is sold at any age."""
    shift = Shift(2)
    await shift.promise()
    shift.provider.on_charge = down_until(1e9, error)
    assert await shift.work.work("o0", 4000, GIVE_UP_S - 1) is not None
    assert shift.standing("o0").status == "pending"
    assert await shift.work.work("o0", 4001, GIVE_UP_S) is None
    assert shift.standing("o0").status == "failed"
    assert shift.provider.refunded == {"o0"}
    shift.provider.on_charge = well
    assert await shift.work.work("o1", 0, 2 * GIVE_UP_S) is None
    assert shift.standing("o1").status == "confirmed"


@virtual
async def test_a_count_that_cannot_be_stored_is_no_end() -> None:
    """The store fails just then: the order is given back, and nothing is counted twice."""
    shift = Shift(1, retry_attempts=3, breaker_enabled=False)
    await shift.promise()
    shift.provider.on_charge = down_until(1e9, DependencyError)
    count, calls = shift.backlog.count_try, 0

    async def lost(order_id: str) -> int:
        nonlocal calls
        calls += 1
        await count(order_id)
        raise DependencyError

    shift.backlog.count_try = lost  # type: ignore[method-assign]
    assert await shift.work.work("o0", 0) is not None
    assert (calls, shift.backlog.tries["o0"]) == (1, 1)
    assert shift.standing("o0").status == "pending"


# Refunds


async def sold_out(order_id: str) -> None:
    raise SoldOut


@pytest.mark.parametrize("latency_s", [0.04, 0.9, 3.0, 6.0, 20.0, 50.0])
@virtual
async def test_a_slow_provider_is_not_owed_for_ever(latency_s: float) -> None:
    """It settles what it is asked at the end of its latency, up to the longest try: each refund
    arrives after a handful of tries."""
    shift = Shift(12, places=4, long_refunds=2)
    shift.backlog.confirm = sold_out  # type: ignore[method-assign]

    async def slowly(key: str) -> None:
        await asyncio.sleep(latency_s)

    shift.provider.on_refund = slowly
    await shift.keep_all()
    assert shift.provider.refunded == set(shift.ids)
    assert not shift.backlog.unsettled
    assert max(shift.ended_s.values()) < 60 + 12 * 4 * max(latency_s, TRY_S)


@virtual
async def test_refunds_that_hang_leave_places_to_the_others() -> None:
    """Forty refunds that never answer, four places: a promise that comes then is sold within
    seconds, and once the provider is well the refunds are made, not a longest try later."""
    shift = Shift(40, places=4, long_refunds=2)
    confirm = shift.backlog.confirm

    async def hang(key: str) -> None:
        await asyncio.get_running_loop().create_future()

    shift.provider.on_refund = hang
    shift.backlog.confirm = sold_out  # type: ignore[method-assign]
    owing = asyncio.ensure_future(shift.keep_all())
    await asyncio.sleep(1200)
    shift.backlog.confirm = confirm  # type: ignore[method-assign]
    for n in range(20):
        await shift.promise(f"late {n}")
        await shift.keep(f"late {n}")
        assert shift.standing(f"late {n}").status == "confirmed"
        assert shift.ended_s[f"late {n}"] < 40 * TRY_S / 2
        await asyncio.sleep(7)
    shift.provider.on_refund, well_s = well, now()
    await owing
    settled_s = now() - well_s
    assert shift.provider.refunded == set(shift.ids)
    assert settled_s < 36  # the last wait, and a moment


class Extreme(Random):
    """Draws the same end of every range."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def uniform(self, a: float, b: float) -> float:
        return a + self.share * (b - a)


@pytest.mark.parametrize(("share", "total_s"), [(0.0, 75.5), (1.0, 151.0)])
def test_ten_tries_last_between_75_and_151_seconds(share: float, total_s: float) -> None:
    """With the waits between them, as every text has it."""
    rng = Extreme(share)
    assert sum(backoff_s(BACKOFF, n, 0.0, rng) for n in range(1, TRIES)) == total_s
