"""Promises: a 202 is kept or fails; a no leaves none; an unknown one is said to be unknown."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from bpdemo.core.model import Order
from tests.service.promises import Promising, promising
from tests.service.truth import assert_told_the_truth
from tests.support.sabotage import FAULTS, LATE_S, Fault, Ledger, Sabotage
from tests.support.virtual import virtual

CALM: dict[str, Any] = {
    "payment_latency_s": 0.1,
    "attempt_timeout_s": 1.0,
    "retry_attempts": 2,
    "cache_ttl_s": 600.0,
    "breaker_min_calls": 10_000,
    "queue_capacity": 100,
}
#: Answers that leave it open whether anything is promised.
OPEN = {"outcome_unknown", "deadline_exceeded", "internal_error", "left"}


def kept(promises: Promising, key: str) -> Order | None:
    """The order that was promised under the key, whatever became of it."""
    for order in promises.stage.stored:
        if order.key == key:
            return order
    return None


@virtual
async def test_whoever_is_told_no_is_not_charged_later() -> None:
    """Sixty ask for a promise of a store that fails three calls in ten, without a second try; none
    of those who hear 503 is charged, and those who hear 504 pay once at most."""
    knobs = {"retry_attempts": 1, "breaker_enabled": False, "store_latency_s": 0.0}
    async with promising(**CALM | knobs) as promises:
        stage = promises.stage
        ledger = Ledger(stage.assembly.provider)
        for item_id in range(1, 61):
            await stage.office.catalogue.find_item(item_id)
        stage.turn(store_failure_rate=0.3)
        for n in range(1, 61):
            await stage.come(1, item_id=n, key=f"k{n}", durable=True)
        await stage.everybody_answered()
        stage.turn(store_failure_rate=0.0)
        await promises.worker.all_done()
        assert_told_the_truth(stage, ledger)
        fates = [customer.fate for customer in stage.customers]
        assert {202, "downstream_failed"} <= set(fates) <= {202, "downstream_failed"} | OPEN


@pytest.mark.parametrize("void", ["ok", "lost", "failed"])
@pytest.mark.parametrize("first", FAULTS)
@virtual
async def test_what_is_told_stands_whatever_befalls_accept(first: Fault, void: Fault) -> None:
    """The second attempt ends in many ways: for one who waits, one who leaves and one whose time
    runs out. Nothing that was rejected is ever sold, and nothing that was promised is lost."""
    async with promising(**CALM | {"workers": 3}) as promises:
        stage = promises.stage
        ledger = Ledger(stage.assembly.provider)
        accepts = Sabotage(promises.backlog, "accept")
        voids = Sabotage(stage.assembly.store, "void")
        for second in ("ok", "lost", "failed", "done, hangs", "no connection", "broken"):
            for waits in ("waits", "leaves", "expires"):
                accepts.calm()
                voids.calm()
                accepts.next("accept", first, second)
                voids.next("void", void)
                number = len(stage.customers) + 1
                customer = stage.comes(
                    item_id=number,
                    key=f"k{number}",
                    client_timeout_s=0.2 if waits == "expires" else None,
                    durable=True,
                )
                if waits == "leaves":
                    asyncio.get_running_loop().call_later(0.2, customer.hang_up)
                await stage.everybody_answered()
        accepts.calm()
        voids.calm()
        await accepts.all_arrived()
        await asyncio.sleep(2 * LATE_S)
        await promises.worker.all_done()
        assert_told_the_truth(stage, ledger)
        for customer in stage.customers:
            order = kept(promises, str(customer._key))
            if customer.order is not None:
                assert order is not None, "a promise was forgotten"
            elif customer.fate not in OPEN:
                assert order is None, "rejected, and sold"


@pytest.mark.parametrize(
    ("write", "stock"), [("confirm", 1), ("confirm", 0), ("fail", 0), ("settle", 0)]
)
@pytest.mark.parametrize("fault", FAULTS)
@virtual
async def test_a_promise_comes_to_one_end_whatever_befalls_the_worker(
    fault: Fault, stock: int, write: str
) -> None:
    """Every write of the worker goes wrong for a while; the order is sold and paid, or it failed
    and nothing is kept. The catalogue does not go on offering what is gone."""
    async with promising(**CALM | {"initial_stock": 1}) as promises:
        stage = promises.stage
        ledger = Ledger(stage.assembly.provider)
        sabotage = Sabotage(promises.backlog, write)
        sabotage.next(write, *[fault] * 5)
        first = stage.comes(key="a", durable=True)
        await stage.everybody_answered()
        if not stock:  # the other takes it while ours is being charged
            stage.assembly.bare_store._stock[1] = 0  # type: ignore[attr-defined]
        await promises.worker.all_done()
        await sabotage.all_arrived()
        assert first.order is not None
        standing = await stage.office.catalogue.find_order(first.order.id)
        assert standing.status == ("confirmed" if stock else "failed")
        assert ledger.kept == ({standing.id: standing.amount_cents} if stock else {})
        item, _ = await stage.office.catalogue.find_item(1)
        assert not item.in_stock


@pytest.mark.parametrize("error", ["cancelled", "closed", "exits", "cancels"])
@virtual
async def test_a_provider_that_raises_what_ends_tasks_loses_no_promise(error: Fault) -> None:
    """A charge that raises CancelledError of its own is a charge that failed; it is tried again."""
    async with promising(**CALM) as promises:
        stage = promises.stage
        sabotage = Sabotage(stage.assembly.payment, "charge")
        sabotage.next("charge", *[error] * 3)
        stage.comes(key="a", durable=True)
        await stage.everybody_answered()
        await promises.worker.all_done()
        assert len(stage.stored) == stage.charged == 1


@virtual
async def test_an_order_that_lost_its_key_to_a_promise_never_arrives_after_all() -> None:
    """The first attempt is on its way, the second finds a promise with the key; the promise fails,
    which frees the key: what arrives then must not be stored, for its money went back."""
    async with promising(**CALM) as promises:
        stage = promises.stage
        await promises.worker.stop()
        sabotage = Sabotage(stage.assembly.store, "place")
        sabotage.next("place", "late")
        plain = stage.comes(key="k")
        await asyncio.sleep(0.05)
        theirs = Order("theirs", 1, 1, 4500, datetime(2000, 1, 1, tzinfo=UTC), key="k")
        await promises.bare.accept(theirs, 1000)
        await stage.everybody_answered()
        assert (plain.fate, plain.order and plain.order.id) == (202, "theirs")
        await promises.bare.fail(theirs.id, "downstream_failed")
        await promises.bare.settle(theirs.id)
        promises.bare.queue.clear()
        await sabotage.all_arrived()
        await asyncio.sleep(LATE_S)
        assert not stage.stored
        assert stage.charged == stage.refunded == 1
