"""A write to the store whose outcome is unknown is never told as a definite no."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from bpdemo.core.model import Order
from tests.service.stage import Customer, Stage, opened
from tests.service.truth import assert_told_the_truth
from tests.support.sabotage import FAULTS, LATE_S, Fault, Ledger, Sabotage
from tests.support.virtual import virtual

#: Attempts end after a second; nothing but the sabotage fails; longer than anything here takes.
CALM: dict[str, Any] = {
    "payment_latency_s": 0.1,
    "attempt_timeout_s": 1.0,
    "retry_attempts": 2,
    "cache_ttl_s": 600.0,
    "breaker_min_calls": 10_000,
}
AT_REST_S = 60.0

SECONDS: tuple[Fault, ...] = ("ok", "lost", "failed", "done, hangs", "no connection", "broken")
BOUGHT_ELSEWHERE = Order("elsewhere", 1, 1, 4500, datetime(2000, 1, 1, tzinfo=UTC))


async def at_rest(stage: Stage, sabotage: Sabotage) -> None:
    await stage.everybody_answered()
    await sabotage.all_arrived()
    await asyncio.sleep(AT_REST_S)


@virtual
async def test_twenty_customers_who_come_again_pay_twenty_times() -> None:
    """The store loses every answer, and is well again: nobody hears a no of which an order is left,
    so anyone who tries again without a key has paid for one order and not for two."""
    async with opened(**CALM | {"workers": 20, "store_failure_rate": 0.0}) as stage:
        ledger = Ledger(stage.assembly.provider)
        for item_id in range(1, 21):
            await stage.office.catalogue.find_item(item_id)
        stage.turn(store_failure_rate=1.0)
        await stage.come(20, item_id=1)
        await stage.everybody_answered()
        invited = [c for c in stage.customers if c.retry_after_s]
        unsold = sum(c.order is None for c in stage.customers)
        stage.turn(store_failure_rate=0.0)
        await asyncio.sleep(3.0)
        await stage.come(unsold, item_id=1)
        await stage.everybody_answered()
        await asyncio.sleep(AT_REST_S)
        assert all(c.fate == 201 for c in stage.customers[20:])
        assert stage.charged - stage.refunded == len(stage.stored) == 20
        assert len(invited) < 20
        assert sum(ledger.held.values()) == 20


@pytest.mark.parametrize("void", ["ok", "lost", "failed", "done, hangs"])
@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize("first", FAULTS)
@virtual
async def test_what_is_told_stands_whatever_befalls_place(
    first: Fault, key: str | None, void: Fault
) -> None:
    """The second attempt ends in many ways: for one who waits, one who leaves and one whose time
    runs out."""
    async with opened(**CALM | {"initial_stock": 1, "workers": 3}) as stage:
        ledger = Ledger(stage.assembly.provider)
        sabotage = Sabotage(stage.assembly.store, "place", "void", "take_back")
        for second in SECONDS:
            for waits in ("waits", "leaves", "expires"):
                sabotage.calm()
                sabotage.next("place", first, second)
                sabotage.next("void", void)
                sabotage.next("take_back", void)
                item_id = len(stage.customers) + 1
                customer = stage.comes(
                    item_id=item_id,
                    key=key and f"{key}{item_id}",
                    client_timeout_s=0.2 if waits == "expires" else None,
                )
                if waits == "leaves":
                    asyncio.get_running_loop().call_later(0.2, customer.hang_up)
                await stage.everybody_answered()
        await at_rest(stage, sabotage)
        await asyncio.sleep(LATE_S)
        assert_told_the_truth(stage, ledger)


async def lost(
    stage: Stage, *places: Fault, void: Fault = "failed", voids: int = 1, **how: Any
) -> tuple[Customer, Sabotage]:
    """A customer whose `place` and first voids go wrong, answered."""
    sabotage = Sabotage(stage.assembly.store, "place", "void", "take_back")
    sabotage.next("place", *places)
    sabotage.next("void", *[void] * voids)
    sabotage.next("take_back", void)
    customer = stage.comes(**how)
    await customer_answered(customer)
    return customer, sabotage


async def customer_answered(customer: Customer) -> None:
    assert customer.task is not None
    await asyncio.wait({customer.task})


@pytest.mark.parametrize("place", ["lost", "failed", "hangs", "done, hangs", "done, cancelled"])
@virtual
async def test_an_unknown_outcome_is_a_504_without_advice_and_a_failure(place: Fault) -> None:
    """No Retry-After: without a key a second try might buy twice."""
    async with opened(**CALM) as stage:
        customer, _ = await lost(stage, place, place)
        assert (customer.fate, customer.retry_after_s) == ("outcome_unknown", None)
        assert stage.column() == {"received": 1, "admitted": 1, "failure": 1}


@virtual
async def test_an_order_without_a_key_is_taken_back_stock_and_money() -> None:
    """Nobody was told its id: the ticket is for sale again, and the money is back."""
    async with opened(**CALM | {"initial_stock": 1}) as stage:
        customer, _ = await lost(stage, "lost", "lost")
        assert customer.fate == "outcome_unknown"
        (order,) = stage.stored
        await asyncio.sleep(AT_REST_S)
        assert not stage.stored
        assert await stage.assembly.store.find_order(order.id) is None
        assert stage.charged == stage.refunded == 1
        item, _ = await stage.office.catalogue.find_item(1)
        assert item.in_stock
        assert (await stage.come(1))[0].fate is None
        await stage.everybody_answered()
        assert stage.customers[-1].fate == 201


@virtual
async def test_an_order_with_a_key_stands_and_a_repeat_finds_it() -> None:
    """One payment, and the repeat is answered 200."""
    async with opened(**CALM | {"initial_stock": 1}) as stage:
        customer, _ = await lost(stage, "lost", "lost", key="k")
        assert customer.fate == "outcome_unknown"
        await asyncio.sleep(AT_REST_S)
        repeat = stage.comes(key="k")
        await stage.everybody_answered()
        assert repeat.fate == 200
        assert (stage.charged, stage.refunded) == (1, 0)


@pytest.mark.parametrize("how", ["leaves", "expires"])
@virtual
async def test_an_order_whose_store_answered_stands_whoever_has_gone(how: str) -> None:
    """Its caller left, or was told 504, while `place` was under way; the answer came."""
    async with opened(**CALM) as stage:
        sabotage = Sabotage(stage.assembly.store, "place")
        sabotage.next("place", "done, slow")
        customer = stage.comes(client_timeout_s=0.2 if how == "expires" else None)
        await asyncio.sleep(0.2)
        if how == "leaves":
            customer.hang_up()
        await at_rest(stage, sabotage)
        assert customer.order is None
        assert len(stage.stored) == 1
        assert (stage.charged, stage.refunded) == (1, 0)


@pytest.mark.parametrize("end", ["circuit_open", "pool_exhausted", "sold_out"])
@pytest.mark.parametrize("key", [None, "k"])
@virtual
async def test_a_no_after_an_unknown_attempt_is_unknown(key: str | None, end: str) -> None:
    """The first attempt may be on its way still, whatever the second one hears."""
    calls = 3 if key else 2  # with the one that fails
    opens = (
        {"breaker_min_calls": calls, "breaker_failure_ratio": 0.3} if end == "circuit_open" else {}
    )
    async with opened(**CALM | opens | {"initial_stock": 1}) as stage:
        ledger = Ledger(stage.assembly.provider)
        second: Fault = "no connection" if end == "pool_exhausted" else "ok"
        customer = stage.comes(key=key)
        sabotage = Sabotage(stage.assembly.store, "place", "void", "take_back")
        sabotage.next("place", "late", second)
        sabotage.next("void", "failed")
        await asyncio.sleep(0.05)
        if end == "sold_out":
            await stage.assembly.bare_store.place(BOUGHT_ELSEWHERE)
        await customer_answered(customer)
        assert (customer.fate, customer.retry_after_s) == ("outcome_unknown", None)
        assert stage.office.breaker_states()["store"] == ("open" if opens else "closed")
        await at_rest(stage, sabotage)
        if end == "sold_out":
            stage.assembly.provider._take(BOUGHT_ELSEWHERE.id)
        assert sum(ledger.held.values()) == len(stage.stored)


@virtual
async def test_a_repeat_of_an_order_in_doubt_asks_first_what_became_of_it() -> None:
    """It is charged for nothing while nobody knows, and sold what it asks for once that is barred:
    the first attempt, which arrives late, would otherwise belie what the repeat was told."""
    async with opened(**CALM | {"initial_stock": 1}) as stage:
        first, sabotage = await lost(stage, "late", "late", voids=50, key="k")
        doubtful = stage.comes(key="k")
        await customer_answered(doubtful)
        assert [first.fate, doubtful.fate] == ["outcome_unknown"] * 2
        assert stage.charged == 1
        sabotage.calm()
        settled = stage.comes(key="k")
        await customer_answered(settled)
        assert settled.fate == 201
        await at_rest(stage, sabotage)
        assert stage.stored == (settled.order,)
        assert (stage.charged, stage.refunded) == (2, 1)
