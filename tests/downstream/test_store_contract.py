"""What the service relies on, whichever store it is given: memory, or a real PostgreSQL, alone or
behind PgBouncer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from bpdemo.core.errors import DependencyError, PoolExhausted, SoldOut
from bpdemo.core.model import Order, Placed
from bpdemo.core.ports import SilentObserver, Store
from bpdemo.downstream.faults import FaultPolicy, FaultyStore
from bpdemo.downstream.memory import MemoryStore
from bpdemo.downstream.postgres import PostgresStore
from tests.downstream.orders import an_order
from tests.support.policies import pool, usual

#: Patient: what these tests are about is what comes out, not when.
POOL = pool(1, 8, 10.0, 10.0)
STOCK = 1000

Opener = Callable[..., Awaitable[Store]]


@pytest.fixture(params=["memory", "postgres", pytest.param("pooler", marks=pytest.mark.pgbouncer)])
def shared_url(request: pytest.FixtureRequest) -> str | None:
    """Where the tickets are; None is memory."""
    if request.param == "memory":
        return None
    wanted = "pooled_url" if request.param == "pooler" else "database_url"
    url: str = request.getfixturevalue(wanted)
    return url


@pytest.fixture
async def open_store(shared_url: str | None) -> AsyncIterator[Opener]:
    """Opens a store; opened again, it is another process's view of the same tickets."""
    opened: list[Store] = []

    async def open_one(stock: int = STOCK) -> Store:
        store: Store
        if shared_url is not None:
            store = PostgresStore(shared_url, POOL, stock, SilentObserver())
        else:
            store = opened[0] if opened else MemoryStore(stock)
        await store.start()
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.stop()


@pytest.fixture
async def store(open_store: Opener) -> Store:
    return await open_store()


async def stock_left(store: Store, item_id: int = 1) -> int:
    """Found out by buying one more."""
    return (await store.place(an_order(item_id))).stock_left + 1


async def place_until_known(store: Store, order: Order) -> Placed | None:
    """As a guard with endless patience would; None when it is sold out."""
    while True:
        with suppress(DependencyError):
            try:
                return await store.place(order)
            except SoldOut:
                return None


async def test_a_fresh_store_holds_a_hundred_items(store: Store) -> None:
    items = await store.list_items(1000, 0)
    assert [item.id for item in items] == list(range(1, 101))
    assert len({item.name for item in items}) == 100
    assert all(item.in_stock and item.price_cents > 0 for item in items)


async def test_a_page_holds_the_items_after_an_id(store: Store) -> None:
    assert [item.id for item in await store.list_items(3, 97)] == [98, 99, 100]
    assert [item.id for item in await store.list_items(2, 0)] == [1, 2]
    assert list(await store.list_items(5, 100)) == []


async def test_an_item_alone_is_the_one_of_the_list(store: Store) -> None:
    (listed,) = await store.list_items(1, 41)
    assert await store.find_item(42) == listed


@pytest.mark.parametrize("item_id", [0, -1, 101, 2**31, 2**63, -(2**80)])
async def test_there_is_no_item_of_an_unknown_id(store: Store, item_id: int) -> None:
    assert await store.find_item(item_id) is None


async def test_no_id_is_too_large_for_a_page_to_begin_after(store: Store) -> None:
    for after in (2**31 - 1, 2**31, 2**63, 10**30):
        assert list(await store.list_items(5, after)) == []


@pytest.mark.parametrize(
    "text", ["nobody", "", "\0", "\ud800", "'; DROP TABLE items; --", "é" * 300]
)
async def test_there_is_no_order_of_an_unknown_id_or_key(store: Store, text: str) -> None:
    assert await store.find_order(text) is None
    assert await store.find_order_by_key(text) is None


async def test_a_placed_order_is_found_as_it_was(store: Store) -> None:
    order = an_order(item_id=7, quantity=3, key="a key, with ünusual letters")
    assert await store.place(order) == Placed(order, STOCK - 3)
    assert await store.find_order(order.id) == order
    assert order.key is not None
    assert await store.find_order_by_key(order.key) == order


async def test_an_order_takes_from_its_own_item_only(store: Store) -> None:
    await store.place(an_order(item_id=7, quantity=3))
    assert await stock_left(store, item_id=7) == STOCK - 3
    assert await stock_left(store, item_id=8) == STOCK


async def test_the_same_order_twice_takes_its_tickets_once(store: Store) -> None:
    order = an_order(quantity=5)
    first = await store.place(order)
    assert await store.place(order) == first
    assert await stock_left(store) == STOCK - 5


async def test_the_first_order_under_a_key_stands(open_store: Opener) -> None:
    here, elsewhere = await open_store(), await open_store()
    first, second = an_order(key="k", quantity=2), an_order(key="k", quantity=3)
    await here.place(first)
    assert (await elsewhere.place(second)).order == first
    assert await elsewhere.find_order(second.id) is None
    assert await stock_left(here) == STOCK - 2


async def test_orders_without_a_key_do_not_meet(store: Store) -> None:
    for _ in range(3):
        await store.place(an_order())
    assert await stock_left(store) == STOCK - 3


async def test_the_last_tickets_are_sold_and_no_more(open_store: Opener) -> None:
    store = await open_store(3)
    assert (await store.place(an_order(quantity=2))).stock_left == 1
    too_many = an_order(quantity=2, key="k")
    with pytest.raises(SoldOut):
        await store.place(too_many)
    assert await store.find_order(too_many.id) is None
    assert (await store.place(an_order(key="k"))).stock_left == 0  # the key is free again
    item = await store.find_item(1)
    assert item is not None
    assert not item.in_stock


async def test_a_repeat_is_answered_when_all_is_sold(open_store: Opener) -> None:
    store = await open_store(1)
    order = an_order(key="k")
    await store.place(order)
    assert await store.place(order) == Placed(order, 0)
    assert await store.place(an_order(key="k")) == Placed(order, 0)


async def test_an_item_that_does_not_exist_is_sold_out(store: Store) -> None:
    order = an_order(item_id=101)
    with pytest.raises(SoldOut):
        await store.place(order)
    assert await store.find_order(order.id) is None


async def test_fifty_callers_at_once_share_ten_tickets(open_store: Opener) -> None:
    stores = [await open_store(10), await open_store(10)]
    orders = [an_order() for _ in range(50)]
    answers = await asyncio.gather(
        *(stores[i % 2].place(order) for i, order in enumerate(orders)), return_exceptions=True
    )
    placed = [answer for answer in answers if isinstance(answer, Placed)]
    assert sorted(answer.stock_left for answer in placed) == list(range(10))
    assert sum(isinstance(answer, SoldOut) for answer in answers) == 40
    found = [await stores[0].find_order(order.id) for order in orders]
    assert sum(order is not None for order in found) == 10


async def test_one_order_from_many_sides_at_once_is_one_order(open_store: Opener) -> None:
    stores = [await open_store(), await open_store()]
    order = an_order(quantity=2)
    answers = await asyncio.gather(*(stores[i % 2].place(order) for i in range(20)))
    assert {answer.order for answer in answers} == {order}
    assert await stock_left(stores[0]) == STOCK - 2


async def test_one_key_from_many_sides_at_once_is_one_order(open_store: Opener) -> None:
    stores = [await open_store(), await open_store()]
    answers = await asyncio.gather(*(stores[i % 2].place(an_order(key="k")) for i in range(20)))
    assert len({answer.order.id for answer in answers}) == 1
    assert await stock_left(stores[0]) == STOCK - 1


async def test_a_voided_order_can_never_be_placed(store: Store) -> None:
    order = an_order(key="k")
    assert await store.void(order.id) is None
    assert await store.void(order.id) is None
    with pytest.raises(DependencyError):
        await store.place(order)
    assert await store.find_order(order.id) is None
    assert await store.find_order_by_key("k") is None
    assert await stock_left(store) == STOCK


async def test_a_placed_order_cannot_be_voided(store: Store) -> None:
    order = an_order()
    await store.place(order)
    assert await store.void(order.id) == order
    assert await store.find_order(order.id) == order
    assert (await store.place(order)).order == order


async def test_a_sale_that_is_taken_back_leaves_nothing(open_store: Opener) -> None:
    """Gone by id and key, its tickets for sale again, and it can never be placed any more."""
    here, elsewhere = await open_store(3), await open_store(3)
    order = an_order(quantity=3, key="k")
    await here.place(order)
    for store in (elsewhere, here, elsewhere):  # repeating it changes nothing
        await store.take_back(order.id)
    assert await here.find_order(order.id) is None
    assert await here.find_order_by_key("k") is None
    with pytest.raises(DependencyError):
        await here.place(order)
    assert await here.void(order.id) is None
    item = await elsewhere.find_item(1)
    assert item is not None
    assert item.in_stock
    assert (await here.place(an_order(quantity=3, key="k"))).stock_left == 0


async def test_what_was_never_sold_is_barred_by_taking_it_back(store: Store) -> None:
    order = an_order()
    await store.take_back(order.id)
    with pytest.raises(DependencyError):
        await store.place(order)
    assert await stock_left(store) == STOCK


async def test_of_place_and_take_back_at_once_nothing_is_left(open_store: Opener) -> None:
    """Whichever comes first, from several sides: no sale, and not a ticket more or less."""
    here, elsewhere = await open_store(), await open_store()
    for round in range(20):
        order = an_order(quantity=2)
        calls = [
            here.place(order),
            elsewhere.take_back(order.id),
            here.take_back(order.id),
            elsewhere.place(order),
        ]
        answers = await asyncio.gather(*calls[:: 1 if round % 2 else -1], return_exceptions=True)
        assert all(a is None or isinstance(a, Placed | DependencyError) for a in answers)
        assert await here.find_order(order.id) is None
    assert await stock_left(here) == STOCK


async def test_of_void_and_place_at_once_one_wins_and_both_know(open_store: Opener) -> None:
    here, elsewhere = await open_store(), await open_store()
    sold = 0
    for round in range(40):
        order = an_order()
        calls = [here.place(order), elsewhere.void(order.id)]
        answers = await asyncio.gather(*calls[:: 1 if round % 2 else -1], return_exceptions=True)
        placed = next(a for a in answers if isinstance(a, Placed | DependencyError))
        voided = next(a for a in answers if not isinstance(a, Placed | DependencyError))
        assert (voided == order) == isinstance(placed, Placed)
        assert await here.find_order(order.id) == voided
        sold += isinstance(placed, Placed)
    assert await stock_left(here) == STOCK - sold


async def test_void_tells_what_became_of_a_cancelled_place(store: Store) -> None:
    rng, sold = Random(1), 0
    for _ in range(60):
        order = an_order()
        placing = asyncio.create_task(store.place(order))
        for _ in range(rng.randrange(8)):
            await asyncio.sleep(rng.choice([0, 0, 0.0005]))
        placing.cancel()
        with suppress(asyncio.CancelledError):
            await placing
        stored = await store.void(order.id)
        assert stored in (order, None)
        assert await store.find_order(order.id) == stored
        sold += stored is not None
    assert await stock_left(store) == STOCK - sold


async def test_lost_answers_sell_nothing_twice(store: Store) -> None:
    lossy = FaultyStore(store, usual(FaultPolicy, failure_rate=0.5), Random(2))
    orders = [an_order(key=f"key {i}") for i in range(40)]
    answers = await asyncio.gather(*(place_until_known(lossy, order) for order in orders))
    assert {a.order for a in answers if a} == set(orders)
    assert await stock_left(store) == STOCK - 40


async def test_lost_answers_never_sell_more_than_there_is(open_store: Opener) -> None:
    store = await open_store(10)
    lossy = FaultyStore(store, usual(FaultPolicy, failure_rate=0.5), Random(3))
    answers = await asyncio.gather(*(place_until_known(lossy, an_order()) for _ in range(30)))
    assert sum(a is not None for a in answers) == 10


async def test_a_store_under_fire_never_lies(store: Store) -> None:
    """Places, voids and cancellations in a wild mix: what is stored is what was taken."""
    rng = Random(4)
    orders = [an_order(key=rng.choice([None, f"key {i % 7}"])) for i in range(30)]

    async def one_call() -> None:
        order = rng.choice(orders)
        placing: Coroutine[Any, Any, object] = (
            store.place(order) if rng.random() < 0.7 else store.void(order.id)
        )
        task = asyncio.ensure_future(placing)
        if rng.random() < 0.3:
            asyncio.get_running_loop().call_later(rng.random() * 0.01, task.cancel)
        with suppress(asyncio.CancelledError, DependencyError, PoolExhausted):
            await task

    await asyncio.gather(*(one_call() for _ in range(200)))
    stored = [order for order in orders if await store.void(order.id)]
    keys = [order.key for order in stored if order.key]
    assert len(keys) == len(set(keys))
    assert await stock_left(store) == STOCK - len(stored)
