"""A promise fails for what was said of it, and not for what befell everybody; money goes back."""

import asyncio
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bpdemo.core.errors import DependencyError, PoolExhausted, SoldOut
from bpdemo.flow.backoff import backoff_s
from bpdemo.service.durable_work import (
    BACKOFF,
    GIVE_UP_S,
    LATELY_S,
    LONG_REFUNDS,
    TRIES,
    refunds_at_once,
)
from bpdemo.service.long_tries import LONGEST_TRY_S, TRY_S
from bpdemo.service.turns import LONGEST_GAP_S, STEPS
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


REFUSALS: dict[str, Raised] = {"error": DependencyError, "broken": KeyError}


def wide(spread: st.SearchStrategy[int]) -> st.SearchStrategy[int]:
    """Few, and many."""
    return st.one_of(st.integers(1, 8), spread)


@pytest.mark.slow
@given(
    waiting=wide(st.integers(1, 300)),
    order_s=st.integers(1, 4000),  # waiting × outage: what the test costs
    breaker=st.booleans(),
    refusal=st.sampled_from(list(REFUSALS)),
    sold_before=st.booleans(),
)
@example(waiting=1, order_s=3600, breaker=True, refusal="error", sold_before=False)
@example(waiting=5, order_s=5 * 900, breaker=False, refusal="error", sold_before=True)
@example(waiting=20, order_s=20 * 1200, breaker=True, refusal="error", sold_before=True)
@example(waiting=300, order_s=300 * 80, breaker=True, refusal="error", sold_before=False)
@example(waiting=8, order_s=1, breaker=True, refusal="error", sold_before=False)
@settings(max_examples=5)
@virtual
async def test_an_outage_fails_nobody(
    waiting: int, order_s: int, breaker: bool, refusal: str, sold_before: bool
) -> None:
    """Payment answers each call with an error: few promises or many, behind a breaker or not, all
    are sold once that is over. What was sold up to its first moment tells nothing of it."""
    shift, outage_s = Shift(waiting, breaker_enabled=breaker), order_s / waiting
    await shift.promise()
    if sold_before:
        await shift.promise("early")
        await shift.keep("early")
    began_s = now()
    shift.provider.on_charge = down_until(began_s + outage_s, REFUSALS[refusal])
    await asyncio.gather(*map(shift.keep, shift.ids))
    assert {shift.standing(id).status for id in shift.ids} == {"confirmed"}
    assert shift.provider.charged.issuperset(shift.ids)
    # A try that began in the outage and fails after it counts: by then others are sold again.
    assert max(shift.backlog.tries.values(), default=0) <= (6 if sold_before else 0) + 1
    assert max(shift.ended_s.values()) < outage_s + 60


@given(
    waiting=wide(st.integers(1, 20)),
    outages=st.lists(st.tuples(st.integers(40, 90), st.integers(1, 300)), min_size=1, max_size=4),
    breaker=st.booleans(),
    where=st.sampled_from(["charge", "confirm"]),
)
@settings(max_examples=5)
@virtual
async def test_outages_one_after_another_fail_nobody(
    waiting: int, outages: list[tuple[int, int]], breaker: bool, where: str
) -> None:
    """Of payment or of the store's last step, well for a while between them, as new orders come."""
    shift = Shift(0, breaker_enabled=breaker)
    down = False
    target = shift.provider if where == "charge" else shift.backlog
    real = getattr(target, where)

    async def call(*args: object) -> object:
        if down:
            await well("")
            raise DependencyError
        return await real(*args)

    setattr(target, where, call)
    kept = []
    for number, (well_s, down_s) in enumerate(outages):
        for down, lasts_s in ((False, well_s), (True, down_s)):
            for n in range(waiting):
                await shift.promise(id := f"o{number}, {down}, {n}")
                kept.append(asyncio.ensure_future(shift.keep(id)))
                await asyncio.sleep(lasts_s / waiting)
    down = False
    await asyncio.gather(*kept)
    assert {order.status for order in shift.store._orders.values()} == {"confirmed"}


@pytest.mark.parametrize("breaker", [True, False])
@pytest.mark.parametrize(("every_s", "within_s"), [(1, 160), (20, 160), (120, 1500)])
@virtual
async def test_what_is_refused_alone_fails_in_time(
    every_s: float, within_s: float, breaker: bool
) -> None:
    """Others are sold meanwhile, so it is the order's fault: after ten tries; where others are
    seldom sold it takes longer, as only the tries soon after a sale count."""
    shift = Shift(1, breaker_enabled=breaker)

    async def answer(key: str) -> None:
        await well(key)
        if key == "o0":
            raise DependencyError

    shift.provider.on_charge = answer
    await shift.promise()
    refused = asyncio.ensure_future(shift.keep("o0"))
    n = 0
    while not refused.done():
        await shift.promise(id := f"other {(n := n + 1)}")
        await shift.keep(id)
        assert shift.standing(id).status == "confirmed"
        await asyncio.sleep(every_s)
    assert shift.standing("o0").status == "failed"
    assert shift.provider.refunded == {"o0"}
    assert 75 <= shift.ended_s["o0"] <= within_s
    assert shift.backlog.tries["o0"] == TRIES


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


FATES = [*RAISED, "circuit open", "hangs", "killed", "another is sold", "half a minute passes"]


@given(
    fates=st.lists(st.sampled_from(FATES), max_size=40),
    where=st.sampled_from(["charge", "confirm"]),
)
@virtual
async def test_a_try_counts_if_and_only_if_it_tells_of_the_order(
    fates: list[str], where: str
) -> None:
    """Whatever befalls a promise, and in whatever order, it fails with the tenth try that asked for
    it while others were sold, never before; if it is spared that, it is sold."""
    shift = Shift(1, retry_attempts=1, breaker_enabled=False, attempt_timeout_s=0.5)
    await shift.promise("o0")
    counted, expected, sold_s = shift.backlog.tries, 0, -LATELY_S - 1
    real, target = (
        (shift.provider.charge, shift.provider)
        if where == "charge"
        else (shift.backlog.confirm, shift.backlog)
    )
    for number, fate in enumerate(fates):
        if fate == "half a minute passes":
            await asyncio.sleep(LATELY_S + 0.1)
            continue
        if fate == "another is sold":
            setattr(target, where, real)
            await shift.promise(other := f"other {number}")
            assert await shift.work.work(other, 0) is None
            sold_s = now()
            continue

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
        others_are_sold = now() - sold_s <= LATELY_S
        expected += (fate in ASKED or fate == "hangs") and others_are_sold
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
    await shift.promise("other")
    await shift.work.work("other", 0)
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


@pytest.mark.parametrize("refunds_fail", [0, 1, 5])
@pytest.mark.parametrize("vanishes", ["before confirm", "while sold out", "between tries"])
@virtual
async def test_an_order_that_is_gone_after_its_charge_has_its_money_back(
    vanishes: str, refunds_fail: int
) -> None:
    """Somebody deleted it: no claim says any more that money is owed, so the worker refunds, and
    is given the order back until it has."""
    shift = Shift(1)

    async def confirm(order_id: str) -> None:
        if vanishes != "between tries":
            del shift.store._orders[order_id]
        if vanishes == "while sold out":
            raise SoldOut
        if vanishes == "between tries":
            asyncio.get_running_loop().call_later(0.1, shift.store._orders.pop, order_id, None)
            shift.backlog.confirm = gone  # type: ignore[method-assign]
            raise DependencyError

    async def gone(order_id: str) -> None:
        if order_id in shift.store._orders:
            raise DependencyError

    async def refund(key: str) -> None:
        if len(shift.provider.refund_calls) <= refunds_fail:
            raise DependencyError

    shift.backlog.confirm = confirm  # type: ignore[method-assign]
    shift.provider.on_refund = refund
    await shift.keep_all()
    assert shift.provider.charged == shift.provider.refunded == {"o0"}
    assert shift.outcomes("o0")[-1] == "failed"


@virtual
async def test_nobody_is_asked_to_refund_what_was_never_an_order() -> None:
    """A job for nobody is dropped at once."""
    shift = Shift(0)
    assert await shift.work.work("nobody", 0) is None
    assert shift.provider.refund_calls == []


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


async def owe_all(shift: Shift, seconds: float) -> asyncio.Future[None]:
    """For so long all that is promised turns out to be sold out, and no refund ever answers; what
    comes afterwards can be sold. What is under way goes on."""
    confirm = shift.backlog.confirm

    async def hang(key: str) -> None:
        await asyncio.get_running_loop().create_future()

    shift.provider.on_refund = hang
    shift.backlog.confirm = sold_out  # type: ignore[method-assign]
    owing = asyncio.ensure_future(shift.keep_all())
    await asyncio.sleep(seconds)
    shift.backlog.confirm = confirm  # type: ignore[method-assign]
    return owing


@virtual
async def test_refunds_that_hang_leave_places_to_the_others() -> None:
    """Forty refunds that never answer, four places: a promise that comes then is sold within
    seconds, and once the provider is well the refunds are made, not a longest try later."""
    shift = Shift(40, places=4, long_refunds=2)
    owing = await owe_all(shift, 1200)
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


@pytest.mark.parametrize("places", [2, 4, 8])
@pytest.mark.parametrize("trouble", ["fails", "hangs"])
@virtual
async def test_refunds_are_asked_for_gently_and_leave_places_free(
    trouble: str, places: int
) -> None:
    """Hundreds are owed and none can be made: four are asked for in a second, a place in four never
    knows of them, and once the provider is well they are made within one wait."""
    orders, outage_s = 300, 90
    shift = Shift(orders, places=places, long_refunds=max(1, places // 2))
    shift.backlog.confirm = sold_out  # type: ignore[method-assign]
    inside = most = 0

    async def answer(key: str) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        try:
            if now() >= outage_s:
                return await well(key)
            await asyncio.sleep(0.04 if trouble == "fails" else 1e6)
            raise DependencyError
        finally:
            inside -= 1

    shift.provider.on_refund = answer
    await shift.keep_all()
    calls_s = [at_s for at_s, _ in shift.provider.refund_calls if at_s < outage_s]
    assert len(calls_s) <= outage_s / LONGEST_GAP_S + places + STEPS
    assert len([at_s for at_s in calls_s if at_s >= 30]) <= (outage_s - 30) / LONGEST_GAP_S + 1
    assert most == refunds_at_once(places)
    assert shift.provider.refunded == set(shift.ids)
    held_s = LONGEST_TRY_S if refunds_at_once(places) == 1 else 0  # nobody else to learn from
    assert now() < outage_s + held_s + 2 * BACKOFF.cap_s


@virtual
async def test_new_promises_pass_by_any_number_of_refunds() -> None:
    """500 that hang, eight places: those promised then are sold as if nothing were owed."""
    shift = Shift(500)
    owing = await owe_all(shift, 120)
    late = [f"late {n}" for n in range(20)]
    await shift.promise(*late)
    await asyncio.gather(*map(shift.keep, late))
    assert {shift.standing(id).status for id in late} == {"confirmed"}
    assert max(shift.ended_s[id] for id in late) < 2
    owing.cancel()
    await asyncio.gather(owing, return_exceptions=True)


@pytest.mark.parametrize(("latency_s", "promised_per_s"), [(0.04, 10.0), (1.5, 10.0), (6.0, 3.0)])
@virtual
async def test_old_refunds_do_not_starve_behind_new_ones(
    latency_s: float, promised_per_s: float
) -> None:
    """However fast more are owed, they are made at the pace of the provider."""
    shift = Shift(0)
    shift.backlog.confirm = sold_out  # type: ignore[method-assign]
    kept: list[asyncio.Future[None]] = []

    async def slowly(key: str) -> None:
        await asyncio.sleep(latency_s)

    shift.provider.on_refund = slowly
    learning_s, lasts_s = 4 * latency_s + 3, 120
    while now() < lasts_s:
        id = f"o{len(kept)}"
        await shift.promise(id)
        kept.append(asyncio.ensure_future(shift.keep(id)))
        await asyncio.sleep(1 / promised_per_s)
    at_pace = (lasts_s - learning_s) * LONG_REFUNDS / latency_s
    in_time = (lasts_s - learning_s) * promised_per_s
    assert len(shift.provider.refunded) >= 0.7 * min(at_pace, in_time)
    for task in kept:
        task.cancel()
    await asyncio.gather(*kept, return_exceptions=True)


def test_one_place_in_four_is_free_of_refunds() -> None:
    """In any worker that has two places; and refunds have at least one."""
    assert all(1 <= refunds_at_once(places) < places for places in range(2, 100))
    assert all(refunds_at_once(places) <= 0.75 * places for places in range(4, 100, 4))
    assert refunds_at_once(1) == 1


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
