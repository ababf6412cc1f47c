"""Money: at rest, charged − refunded = orders stored, whatever went wrong on the way."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from bpdemo.core.errors import DependencyError
from bpdemo.core.events import AttemptEnded, MoneyOwed
from bpdemo.core.model import Order, Placed
from tests.service.stage import Stage, opened, settle
from tests.support.sabotage import Fault, Sabotage
from tests.support.virtual import virtual

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

STORMS: Mapping[str, Mapping[str, Any]] = {
    "payment fails": {"payment_failure_rate": 0.4},
    "store fails": {"store_failure_rate": 0.3},
    "both fail, no breaker": {
        "payment_failure_rate": 0.3,
        "store_failure_rate": 0.3,
        "breaker_enabled": False,
    },
    "attempts time out": {
        "payment_latency_distribution": "exponential",
        "payment_latency_s": 0.1,
        "attempt_timeout_s": 0.1,
        "breaker_failure_ratio": 0.9,
    },
    "heavy tails": {"payment_latency_distribution": "lognormal", "payment_failure_rate": 0.1},
    "callers out of time": {"request_timeout_s": 0.1, "payment_failure_rate": 0.2},
    "few tickets": {"initial_stock": 150, "payment_failure_rate": 0.1, "store_failure_rate": 0.1},
    "block": {"queue_policy": "block", "payment_failure_rate": 0.2, "queue_block_timeout_s": 0.1},
    "codel": {"queue_discipline": "codel", "queue_capacity": 500, "store_failure_rate": 0.1},
    "newest first": {"queue_discipline": "lifo", "queue_capacity": 500},
    "no retries": {"retry_attempts": 1, "payment_failure_rate": 0.5, "breaker_enabled": False},
    "naive": {
        "queue_capacity": -1,
        "request_timeout_s": 0.0,
        "attempt_timeout_s": 0.0,
        "drop_on_disconnect": False,
        "breaker_enabled": False,
        "retry_budget_enabled": False,
        "payment_failure_rate": 0.3,
        "store_failure_rate": 0.1,
    },
}


def stormy(knobs: Mapping[str, Any]) -> dict[str, Any]:
    usual = {
        "workers": 8,
        "queue_capacity": 32,
        "payment_latency_s": 0.04,
        "store_latency_s": 0.002,
        "request_timeout_s": 2.0,
        "attempt_timeout_s": 0.5,
        "retry_base_s": 0.05,
        "breaker_open_s": 0.5,
        "breaker_window_s": 1.0,
    }
    return {**usual, **knobs}


async def crowd(stage: Stage, orders: int, rng: Random, rate_per_s: float = 250.0) -> None:
    """Poisson arrivals, a third with keys that many share; some bodies slow, some callers leave."""
    for n in range(orders):
        customer = stage.comes(
            item_id=rng.randint(1, 3),
            quantity=rng.choice((1, 1, 1, 2)),
            key=f"k{n // 4 + rng.randint(0, 2)}" if rng.random() < 0.35 else None,
            client_timeout_s=rng.choice((None, 0.05, 0.2, 1.0)),
            priority=rng.randint(0, 3),
            body_s=rng.choice((0.0, 0.0, 0.03)),
        )
        if customer.caller and rng.random() < 0.15:
            asyncio.get_running_loop().call_later(rng.expovariate(20.0), customer.hang_up)
        assert stage.books.balanced
        await asyncio.sleep(rng.expovariate(rate_per_s))


@pytest.mark.slow
@pytest.mark.parametrize("storm", STORMS)
@virtual
async def test_the_sums_agree_after_every_storm(storm: str) -> None:
    """Three thousand orders with keys, duplicates and hang-ups: `opened` judges what is left."""
    async with opened(**stormy(STORMS[storm])) as stage:
        await crowd(stage, 3000, Random(storm))
        await stage.everybody_answered()
        assert stage.stored
        assert stage.books.success > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@virtual
async def test_the_sums_agree_after_outages_that_come_and_go(seed: int) -> None:
    """Payment and store fail in turn while four thousand orders come: nothing is lost or kept."""
    async with opened(**stormy({"payment_latency_distribution": "exponential"})) as stage:
        rng = Random(seed)
        stop = asyncio.Event()
        weather = asyncio.get_running_loop().create_task(_weather(stage, rng, stop))
        await crowd(stage, 4000, rng)
        stop.set()
        await weather
        await stage.everybody_answered()
        assert stage.refunded > 0
        assert stage.stored


@virtual
async def test_the_sums_agree_when_the_store_outlasts_every_attempt() -> None:
    """No answer of the store comes in time for a while: what was charged meanwhile goes back."""
    async with opened(**stormy({"cache_ttl_s": 600.0, "breaker_enabled": False})) as stage:
        rng = Random(5)
        await crowd(stage, 500, rng)
        stage.turn(store_latency_s=0.03, attempt_timeout_s=0.02, payment_latency_s=0.01)
        await crowd(stage, 1000, rng)
        stage.turn(store_latency_s=0.002)
        await crowd(stage, 500, rng)
        await stage.everybody_answered()
        assert stage.refunded > 0


async def _weather(stage: Stage, rng: Random, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await asyncio.sleep(rng.uniform(0.1, 0.8))
        stage.turn(
            payment_outage=rng.random() < 0.2,
            store_outage=rng.random() < 0.2,
            payment_failure_rate=rng.choice((0.0, 0.3)),
            store_failure_rate=rng.choice((0.0, 0.3)),
        )
    stage.turn(
        payment_outage=False, store_outage=False, payment_failure_rate=0.0, store_failure_rate=0.0
    )


@virtual
async def test_sold_out_after_the_charge_is_refunded_before_the_answer() -> None:
    """Two ask for the last ticket at one moment: one gets it, the other their money and a 409."""
    async with opened(workers=2, initial_stock=1) as stage:
        await stage.come(2)
        await stage.everybody_answered()
        assert sorted(map(str, (c.fate for c in stage.customers))) == ["201", "sold_out"]
        assert (stage.charged, stage.refunded) == (2, 1)
        assert stage.column() == {"received": 2, "admitted": 2, "success": 1, "failure": 1}


@virtual
async def test_what_is_known_to_be_sold_out_is_not_charged() -> None:
    """The flip invalidates the cached item: later callers get their 409 without a charge."""
    async with opened(initial_stock=1) as stage:
        stage.comes()
        await stage.everybody_answered()
        late = stage.comes()
        await stage.everybody_answered()
        assert late.fate == "sold_out"
        assert stage.charged == 1


@virtual
async def test_an_order_for_more_than_is_left_is_refunded_and_stock_stays() -> None:
    """Two of the last three cannot be four: 409, money back, and the three are still to be had."""
    async with opened(initial_stock=3) as stage:
        greedy = stage.comes(quantity=4)
        await stage.everybody_answered()
        modest = stage.comes(quantity=3)
        await stage.everybody_answered()
        assert (greedy.fate, modest.fate) == ("sold_out", 201)


@virtual
async def test_an_unknown_item_fails_before_any_charge() -> None:
    """422 that names the field, a failure in the books."""
    async with opened() as stage:
        customer = stage.comes(item_id=101)
        await stage.everybody_answered()
        assert customer.fate == "invalid_request"
        assert getattr(customer.error, "field", None) == "item_id"
        assert stage.charged == 0
        assert stage.column() == {"received": 1, "admitted": 1, "failure": 1}


@virtual
async def test_the_stores_breaker_is_asked_before_charging() -> None:
    """While the store is known to be down nobody is charged for what could not be stored."""
    async with opened(
        breaker_min_calls=1,
        breaker_failure_ratio=0.1,
        breaker_open_s=60.0,
        retry_attempts=1,
        cache_ttl_s=600.0,
    ) as stage:
        stage.comes()
        await stage.everybody_answered()  # the item is cached now
        stage.turn(store_outage=True)
        unlucky = stage.comes()
        await stage.everybody_answered()
        assert unlucky.fate == "downstream_failed"
        assert stage.office.breaker_states() == {"payment": "closed", "store": "open"}
        charged = stage.charged
        refused = stage.comes()
        await stage.everybody_answered()
        assert refused.fate == "circuit_open"
        assert stage.charged == charged
        stage.turn(store_outage=False)


@virtual
async def test_a_charge_that_the_breaker_refused_is_no_debt() -> None:
    """The circuit opens before a queued order's turn: 503, and nothing to give back."""
    async with opened(breaker_min_calls=1, retry_attempts=1, breaker_open_s=60.0) as stage:
        stage.turn(payment_failure_rate=1.0)
        first, second = stage.comes(), stage.comes()
        await stage.everybody_answered()
        assert (first.fate, second.fate) == ("downstream_failed", "circuit_open")
        assert max(event.owed for event in stage.heard(MoneyOwed)) == 1
        stage.turn(payment_failure_rate=0.0)


@virtual
async def test_a_charge_that_never_left_us_is_no_debt() -> None:
    """Nobody can be reached: hundreds of orders fail, and no refund is asked for, then or later."""
    async with opened(breaker_enabled=False, retry_attempts=2, queue_capacity=400) as stage:
        stage.turn(payment_outage=True)
        await stage.come(300)
        await stage.everybody_answered()
        assert {customer.fate for customer in stage.customers} == {"downstream_failed"}
        assert stage.heard(MoneyOwed) == []
        stage.turn(payment_outage=False)
        await asyncio.sleep(60.0)
        assert (stage.charged, stage.refunded) == (0, 0)


@virtual
async def test_a_payment_that_fails_every_attempt_costs_nothing() -> None:
    """503 after `retry_attempts`, and whatever did arrive of them is given back."""
    async with opened(payment_failure_rate=1.0, retry_attempts=4, payment_latency_s=0.1) as stage:
        customer = stage.comes()
        await stage.everybody_answered()
        assert customer.fate == "downstream_failed"
        attempts = [e for e in stage.heard(AttemptEnded) if e.dependency == "payment"]
        assert [e.outcome for e in attempts] == ["failure"] * 4
        assert stage.column() == {"received": 1, "admitted": 1, "failure": 1}
        stage.turn(payment_failure_rate=0.0)


@virtual
async def test_a_refund_that_fails_is_owed_and_tried_until_done() -> None:
    """Long after the caller was told, and after many failures: one debt, then none."""
    async with opened(workers=2, initial_stock=1, retry_attempts=1) as stage:
        await stage.come(2)
        await asyncio.sleep(0.5)
        stage.turn(payment_outage=True)  # the charges have arrived; refunds will not
        await stage.everybody_answered()
        assert sorted(map(str, (c.fate for c in stage.customers))) == ["201", "sold_out"]
        await asyncio.sleep(300.0)
        assert (stage.charged, stage.refunded) == (2, 0)
        assert stage.heard(MoneyOwed) == [MoneyOwed(1)]
        stage.turn(payment_outage=False)
        await asyncio.sleep(5.0)
        assert (stage.charged, stage.refunded) == (2, 1)
        assert stage.heard(MoneyOwed) == [MoneyOwed(1), MoneyOwed(0)]


@virtual
async def test_a_slow_provider_is_not_owed_for_ever() -> None:
    """A refund takes longer than the first try may: later tries are given more time."""
    async with opened(workers=2, initial_stock=1, payment_latency_s=7.0) as stage:
        await stage.come(2)
        await stage.everybody_answered()
        await asyncio.sleep(60.0)
        assert stage.heard(MoneyOwed)[-1] == MoneyOwed(0)


@virtual
async def test_debts_do_not_spend_the_budget_nor_ask_the_breaker() -> None:
    """An open payment circuit must not keep a customer's money."""
    async with opened(
        breaker_min_calls=1, retry_attempts=1, breaker_open_s=3600.0, payment_failure_rate=1.0
    ) as stage:
        stage.comes()
        await stage.everybody_answered()
        assert stage.office.breaker_states()["payment"] == "open"
        stage.turn(payment_failure_rate=0.0)
        await asyncio.sleep(30.0)
        assert stage.office.breaker_states()["payment"] == "open"
        assert stage.charged == stage.refunded


@virtual
async def test_a_debt_outlives_a_fault_that_nobody_foresaw() -> None:
    """An error outside the tree is no reason to keep the money."""
    async with opened(workers=2, initial_stock=1) as stage:
        await stage.come(2)
        await asyncio.sleep(0.5)
        stage.turn(payment_outage=True)
        await stage.everybody_answered()
        refund = stage.assembly.provider.refund
        stage.assembly.provider.refund = _broken  # type: ignore[method-assign]
        stage.turn(payment_outage=False)
        await asyncio.sleep(10.0)
        assert stage.heard(MoneyOwed) == [MoneyOwed(1)]
        stage.assembly.provider.refund = refund  # type: ignore[method-assign]
        await asyncio.sleep(10.0)
        assert stage.heard(MoneyOwed)[-1] == MoneyOwed(0)


async def _broken(key: str) -> None:
    raise KeyError(key)


class LosesAnswers:
    """In front of a store: does what it is asked, and then claims that it failed."""

    def __init__(
        self, stage: Stage, *, place: int = 0, void: int = 0, arrives: bool = True
    ) -> None:
        self._store = stage.assembly.bare_store
        self._place, self._void = self._store.place, self._store.void
        self.places_lost, self.voids_lost, self.arrives = place, void, arrives
        self._store.place = self.place  # type: ignore[method-assign]
        self._store.void = self.void  # type: ignore[method-assign]

    async def place(self, order: Order) -> Placed:
        if not self.places_lost:
            return await self._place(order)
        self.places_lost -= 1
        if self.arrives:
            await self._place(order)
        raise DependencyError("the answer was lost")

    async def void(self, order_id: str) -> Order | None:
        if not self.voids_lost:
            return await self._void(order_id)
        self.voids_lost -= 1
        await self._void(order_id)
        raise DependencyError("the answer was lost")


@virtual
async def test_an_order_that_was_stored_after_all_is_sold() -> None:
    """Every answer of the store was lost, but the void finds the order: 201, and no refund."""
    async with opened() as stage:
        LosesAnswers(stage, place=3)
        customer = stage.comes()
        await stage.everybody_answered()
        assert customer.fate == 201
        assert (stage.charged, stage.refunded, len(stage.stored)) == (1, 0, 1)


@virtual
async def test_an_order_that_was_not_stored_is_voided_and_refunded() -> None:
    """The void bars it: 503, and the money is back before the answer."""
    async with opened() as stage:
        LosesAnswers(stage, place=3, arrives=False)
        customer = stage.comes()
        await stage.everybody_answered()
        assert customer.fate == "downstream_failed"
        assert (stage.charged, stage.refunded, len(stage.stored)) == (1, 1, 0)


@virtual
async def test_an_uncertain_order_whose_void_fails_is_resolved_later() -> None:
    """Told 504, for it is stored: it stays sold, and its key finds it."""
    async with opened() as stage:
        LosesAnswers(stage, place=3, void=4)
        customer = stage.comes(key="k")
        await stage.everybody_answered()
        assert customer.fate == "outcome_unknown"
        repeat = stage.comes(key="k")
        await stage.everybody_answered()
        assert repeat.fate == 200
        await asyncio.sleep(30.0)
        assert (stage.charged, stage.refunded, len(stage.stored)) == (1, 0, 1)


@virtual
async def test_an_uncertain_order_that_was_not_stored_is_refunded_later() -> None:
    """Told 504; the void succeeds at last, and then the money goes back."""
    async with opened() as stage:
        LosesAnswers(stage, place=3, void=4, arrives=False)
        customer = stage.comes(key="k")
        await stage.everybody_answered()
        assert customer.fate == "outcome_unknown"
        await asyncio.sleep(30.0)
        assert (stage.charged, stage.refunded, len(stage.stored)) == (1, 1, 0)


@virtual
async def test_another_process_that_stored_the_key_first_wins() -> None:
    """The database's unique key decides: its order is the answer, 200, and our charge goes back."""
    async with opened() as stage:
        ours = stage.comes(key="k")
        await asyncio.sleep(0.5)  # looked up, being charged
        theirs = Order("theirs", 1, 1, 4500, LONG_AGO, key="k")
        await stage.assembly.bare_store.place(theirs)
        stage.assembly.provider.book.charged += 1  # what the other process took for it
        await stage.everybody_answered()
        assert ours.fate == 200
        assert ours.order == theirs
        assert stage.refunded == 1


@virtual
async def test_another_process_with_another_body_wins_too() -> None:
    """The key was used meanwhile for something else: 422, and the money goes back."""
    async with opened() as stage:
        ours = stage.comes(key="k", quantity=2)
        await asyncio.sleep(0.5)
        await stage.assembly.bare_store.place(Order("theirs", 1, 1, 4500, LONG_AGO, key="k"))
        stage.assembly.provider.book.charged += 1
        await stage.everybody_answered()
        assert ours.fate == "invalid_request"
        assert stage.refunded == 1


@virtual
async def test_charged_work_is_shielded_from_hang_up_and_deadline() -> None:
    """Caller gone, time over, and the order is stored all the same."""
    async with opened(workers=2) as stage:
        leaver = stage.comes()
        stage.comes(client_timeout_s=0.3)
        await asyncio.sleep(0.2)
        leaver.hang_up()
        await stage.everybody_answered()
        await asyncio.sleep(2.0)
        assert len(stage.stored) == 2
        assert stage.refunded == 0


@virtual
async def test_what_is_sold_is_what_was_asked_for() -> None:
    """Item, quantity, amount, key and a fresh id: the order as it was paid."""
    async with opened() as stage:
        stage.comes(item_id=7, quantity=3, key="k")
        await stage.everybody_answered()
        (order,) = stage.stored
        item, _ = await stage.office.catalogue.find_item(7)
        assert (order.item_id, order.quantity, order.key) == (7, 3, "k")
        assert order.amount_cents == 3 * item.price_cents
        assert order == stage.customers[0].order
        assert order.created_at.tzinfo is not None


@virtual
async def test_a_seed_repeats_a_run_to_the_last_order() -> None:
    """The same seed and the same crowd: the same ids, fates and sums."""
    runs = []
    for _ in range(2):
        async with opened(**stormy({"payment_failure_rate": 0.2})) as stage:
            await crowd(stage, 300, Random("again"))
            await stage.everybody_answered()
            await settle()
            runs.append(([o.id for o in stage.stored], [c.fate for c in stage.customers]))
    assert runs[0] == runs[1]


@pytest.mark.parametrize("error", ["cancelled", "closed", "exits", "broken", "cancels"])
@pytest.mark.parametrize("call", ["charge", "refund", "void", "take_back", "place"])
@virtual
async def test_no_debt_is_forgotten_whatever_a_dependency_raises(call: str, error: Fault) -> None:
    """A CancelledError or GeneratorExit that a dependency raises of its own ends no debt, nor does
    one that cancels the task it runs in: a dozen who fail, each after its charge, have their money
    back."""
    knobs = {"workers": 12, "payment_latency_s": 0.1, "retry_attempts": 1, "queue_capacity": 12}
    async with opened(**knobs) as stage:
        payments = Sabotage(stage.assembly.payment, "charge", "refund")
        stores = Sabotage(stage.assembly.store, "place", "void", "take_back")
        failures: list[Fault] = ["failed"] * 12
        stores.next("place", *failures)
        if call == "take_back":
            stores.next("void", *failures)
        (payments if call in ("charge", "refund") else stores).next(call, *[error] * 24)
        await stage.come(12)
        await stage.everybody_answered()
        assert all(customer.fate != 201 for customer in stage.customers)
        stores.calm()
        await asyncio.sleep(60.0)
        assert stage.charged == stage.refunded
        assert not stage.stored
        assert stage.office._debts.owed == 0


@virtual
async def test_debts_end_with_the_service_all_the_same() -> None:
    """`stop` is not one more failure to be tried again: it tells what is left, and returns."""
    async with opened(retry_attempts=1) as stage:
        stage.turn(payment_failure_rate=1.0)
        stage.comes()
        await stage.everybody_answered()
        await asyncio.sleep(10.0)
        assert await stage.office._debts.stop() == 1
        await settle()
        stage.assembly.provider.book.refunded = stage.assembly.provider.book.charged


@pytest.mark.parametrize("place", ["lost", "done, hangs", "late", "hangs, late", "done, cancelled"])
@pytest.mark.parametrize("void", ["ok", "lost", "failed"])
@pytest.mark.parametrize("key", [None, "k"])
@virtual
async def test_the_last_ticket_is_never_offered_after_it_is_gone(
    key: str | None, void: Fault, place: Fault
) -> None:
    """The `place` that took it was not answered: anyone who looks, before and after each step, sees
    in the end what the store has."""
    knobs = {"initial_stock": 1, "attempt_timeout_s": 1.0, "retry_attempts": 1}
    async with opened(**knobs, payment_latency_s=0.1, cache_ttl_s=3600.0) as stage:
        sabotage = Sabotage(stage.assembly.store, "place", "void", "take_back")
        sabotage.next("place", place)
        sabotage.next("void", void, void)
        sabotage.next("take_back", void, void)
        stage.comes(key=key)
        for _ in range(300):
            await asyncio.sleep(0.1)
            await stage.office.catalogue.find_item(1)
        await sabotage.all_arrived()
        item, _ = await stage.office.catalogue.find_item(1)
        assert item.in_stock == (not stage.stored)
