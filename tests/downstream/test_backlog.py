"""Orders that are promised in PostgreSQL: stored and queued together, bounded, settled once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

from bpdemo.core.errors import DependencyError, QueueFull, SoldOut
from bpdemo.core.model import Order, Placed
from bpdemo.core.ports import SilentObserver
from bpdemo.downstream import durable_sql, postgres
from bpdemo.downstream.backlog import PostgresBacklog
from bpdemo.downstream.pgqueuer_tables import NAMES
from bpdemo.downstream.postgres import PostgresStore
from tests.downstream.orders import an_order
from tests.downstream.stage import PATIENT, STOCK, at_rest, started
from tests.support.policies import pool
from tests.support.postgres import connected, until_waiting

ROOMY = 1000


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    async with started(database_url) as store:
        yield store


@pytest.fixture
def backlog(store: PostgresStore) -> PostgresBacklog:
    return PostgresBacklog(store)


@pytest.fixture
async def look(database_url: str, store: PostgresStore) -> AsyncIterator[asyncpg.Connection]:
    async with connected(database_url) as connection:
        yield connection


async def queued(look: asyncpg.Connection) -> list[str]:
    return [row["dedupe_key"] for row in await look.fetch("SELECT dedupe_key FROM pgqueuer")]


async def stock_of(look: asyncpg.Connection, item_id: int = 1) -> int:
    stock: int = await look.fetchval("SELECT stock FROM items WHERE id = $1", item_id)
    return stock


@asynccontextmanager
async def depth_locked(url: str) -> AsyncIterator[None]:
    """Nobody can promise anything during the block."""
    async with connected(url) as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", 0x626F786F66666964)
        yield


async def test_a_promised_order_is_pending_and_in_the_queue(store, backlog, look):
    """It is found by id and by key, holds no stock, and is no sale yet."""
    order = an_order(quantity=3, key="k")
    accepted = await backlog.accept(order, ROOMY)
    assert accepted == order._replace(status="pending")
    assert await store.find_order(order.id) == accepted
    assert await store.find_order_by_key("k") == accepted
    assert await queued(look) == [order.id]
    assert await stock_of(look) == STOCK
    assert await look.fetchval("SELECT count(*) FROM orders") == 0
    assert await backlog.depth() == 1


async def test_what_was_voided_can_never_be_promised(store, backlog, look):
    """An attempt that arrives after its caller was told that nothing stands."""
    order = an_order(key="k")
    assert await store.void(order.id) is None
    with pytest.raises(DependencyError):
        await backlog.accept(order, ROOMY)
    assert await store.find_order_by_key("k") is None
    assert await queued(look) == []
    assert await backlog.depth() == 0


async def test_void_and_take_back_leave_a_promise_as_it_is(store, backlog, look):
    """It is found, pending; nothing was sold that could be taken back."""
    promised = await backlog.accept(an_order(key="k"), ROOMY)
    assert await store.void(promised.id) == promised
    await store.take_back(promised.id)
    assert await store.find_order(promised.id) == promised
    assert await stock_of(look) == STOCK


async def test_promising_it_again_changes_nothing(backlog, look):
    """Neither under the same id, as after a lost answer, nor under the same key."""
    first = await backlog.accept(an_order(key="k"), ROOMY)
    assert await backlog.accept(first._replace(status="confirmed"), ROOMY) == first
    assert await backlog.accept(an_order(key="k"), ROOMY) == first
    assert await queued(look) == [first.id]


async def test_a_repeat_is_answered_even_where_there_is_no_room(backlog):
    """It needs none."""
    first = await backlog.accept(an_order(key="k"), 1)
    assert await backlog.accept(an_order(key="k"), 1) == first
    with pytest.raises(QueueFull):
        await backlog.accept(an_order(key="other"), 1)


async def test_a_key_that_was_sold_to_is_not_promised(store, backlog, look):
    """The sale is the answer, no matter who made it."""
    sold = (await store.place(an_order(key="k"))).order
    assert await backlog.accept(an_order(key="k"), ROOMY) == sold
    assert await queued(look) == []


async def test_a_key_that_is_promised_is_not_sold_to(store, backlog, look):
    """`place` answers with the promise, and takes nothing."""
    promised = await backlog.accept(an_order(key="k"), ROOMY)
    placed = await store.place(an_order(key="k"))
    assert placed.order == promised
    assert await stock_of(look) == STOCK


async def test_a_key_given_back_in_mid_sale_is_sold_to(store, backlog, look, monkeypatch):
    """The promise that stood in the way fails before one can look at it: that is no sold-out."""
    promised = await backlog.accept(an_order(key="k"), ROOMY)
    look_for_it = postgres._standing_for

    async def fail_first(order: Order, connection) -> Placed | None:
        await backlog.fail(promised.id, "downstream_failed")
        return await look_for_it(order, connection)

    monkeypatch.setattr(postgres, "_standing_for", fail_first)
    order = an_order(key="k")
    assert (await store.place(order)).order == order
    assert await stock_of(look) == STOCK - 1


@pytest.mark.parametrize("capacity", [0, 1, 20])
async def test_fifty_at_once_and_exactly_as_many_as_there_is_room_for(
    database_url, capacity, monkeypatch
):
    """Counting and inserting are one step, across processes: two pools of ten stand for them."""
    wide = pool(1, 10, 0.0, 0.0)  # however long it takes, and a busy machine has its pauses
    monkeypatch.setattr("bpdemo.downstream.connections.IDLE_IN_TRANSACTION_S", 60.0)
    async with started(database_url, wide) as one, started(database_url, wide) as other:
        backlogs = [PostgresBacklog(one), PostgresBacklog(other)]
        ended = await asyncio.gather(
            *(backlogs[n % 2].accept(an_order(key=f"k{n}"), capacity) for n in range(50)),
            return_exceptions=True,
        )
        promised = [end for end in ended if isinstance(end, Order)]
        assert len(promised) == capacity
        assert sum(isinstance(end, QueueFull) for end in ended) == 50 - capacity
        assert await backlogs[0].depth() == capacity
        async with connected(database_url) as look:
            assert sorted(await queued(look)) == sorted(order.id for order in promised)


async def test_fifty_with_one_key_make_one_promise(database_url, store, look):
    """All of them hear of the same order."""
    backlog = PostgresBacklog(store)
    ended = await asyncio.gather(*(backlog.accept(an_order(key="k"), ROOMY) for _ in range(50)))
    assert len({order.id for order in ended}) == 1
    assert len(await queued(look)) == 1


async def test_a_sale_and_a_promise_at_once_under_one_key_are_one_order(database_url, store, look):
    """Twenty keys, each asked for both ways at the same time: one claim each, and all agree."""
    backlog = PostgresBacklog(store)
    for number in range(20):
        key = f"k{number}"
        placed, accepted = await asyncio.gather(
            store.place(an_order(key=key)), backlog.accept(an_order(key=key), ROOMY)
        )
        assert placed.order == accepted
    assert await look.fetchval("SELECT count(*) FROM claims") == 20


async def test_room_is_made_by_what_is_settled(backlog):
    """A sale settles; a failure does so only when its money is back."""
    sold, failed = [await backlog.accept(an_order(key=key), 2) for key in "ab"]
    await backlog.confirm(sold.id)
    await backlog.fail(failed.id, "downstream_failed")
    await backlog.accept(an_order(key="c"), 2)
    with pytest.raises(QueueFull):
        await backlog.accept(an_order(key="d"), 2)
    await backlog.settle(failed.id)
    await backlog.accept(an_order(key="d"), 2)


async def test_a_cancelled_promise_was_made_or_was_not(database_url, store, look):
    """Cut short while it waits for its turn: nothing half done, and the connection is good."""
    backlog = PostgresBacklog(store)
    async with depth_locked(database_url):
        accepting = asyncio.create_task(backlog.accept(an_order(key="k"), ROOMY))
        await until_waiting(database_url, 1)
        accepting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await accepting
    await at_rest(store)
    assert await queued(look) == []
    assert await look.fetchval("SELECT count(*) FROM claims") == 0
    for number in range(PATIENT.max_size):
        await backlog.accept(an_order(key=f"k{number}"), ROOMY)
    idle = """SELECT count(*) FROM pg_stat_activity
              WHERE application_name = 'bpdemo' AND state LIKE 'idle in transaction%'"""
    assert await look.fetchval(idle) == 0


async def test_a_promise_does_not_wait_for_ever(database_url, store):
    """What a statement has by way of time holds for the lock, too.

    Time enough, on a busy machine, for the statements that come when the lock is free again.
    """
    async with started(database_url, pool(1, 2, 2.0, 1.0)) as hasty:
        async with depth_locked(database_url):
            with pytest.raises(DependencyError):
                await PostgresBacklog(hasty).accept(an_order(key="k"), ROOMY)
        await PostgresBacklog(hasty).accept(an_order(key="k"), ROOMY)


async def test_who_stops_in_mid_promise_does_not_stop_the_others(database_url, store, backlog):
    """A process is frozen while it holds the lock they all need: the database takes it away."""
    accepted: list[Order] = []

    async def freeze() -> None:
        async with store.lend() as frozen, frozen.transaction():
            await frozen.execute(durable_sql.LOCK_DEPTH, durable_sql.DEPTH_LOCK)
            async with started(database_url) as other:
                accepted.append(await PostgresBacklog(other).accept(an_order(key="k"), ROOMY))

    with pytest.raises(DependencyError):  # what the frozen one hears, when it goes on
        await freeze()
    assert await store.find_order_by_key("k") == accepted[0]
    assert await backlog.accept(an_order(key="k"), ROOMY) == accepted[0]


async def test_the_bound_holds_whatever_the_database_has_by_default(database_url):
    """Under a stricter isolation each would count what was there before it had the lock."""
    strict = f"{database_url}&default_transaction_isolation=repeatable%20read"
    async with started(strict, pool(1, 10, 0.0, 0.0)) as wide:
        ended = await asyncio.gather(
            *(PostgresBacklog(wide).accept(an_order(key=f"k{n}"), 2) for n in range(20)),
            return_exceptions=True,
        )
        assert sum(isinstance(end, QueueFull) for end in ended) == 18
        assert await PostgresBacklog(wide).depth() == 2


async def test_confirming_takes_the_stock_once(backlog, store, look):
    """A second worker that comes to the same order finds it sold."""
    order = await backlog.accept(an_order(quantity=4, key="k"), ROOMY)
    for _ in range(2):
        placed = await backlog.confirm(order.id)
        assert placed is not None
        assert placed.order == order._replace(status="confirmed")
        assert placed.stock_left == STOCK - 4
    assert await store.find_order(order.id) == order._replace(status="confirmed")
    assert await look.fetchval("SELECT id FROM orders") == order.id


async def test_ten_confirm_one_order_at_once(backlog, look):
    """The stock goes down by one order."""
    order = await backlog.accept(an_order(key="k"), ROOMY)
    await asyncio.gather(*(backlog.confirm(order.id) for _ in range(10)))
    assert await stock_of(look) == STOCK - 1


async def test_too_little_stock_leaves_it_pending(backlog, store, look):
    """Sold out is told; what becomes of the order is the worker's to say."""
    await look.execute("UPDATE items SET stock = 2 WHERE id = 1")
    order = await backlog.accept(an_order(quantity=3, key="k"), ROOMY)
    with pytest.raises(SoldOut):
        await backlog.confirm(order.id)
    assert await store.find_order(order.id) == order
    assert await stock_of(look) == 2


async def test_a_failed_order_says_why_and_frees_its_key(backlog, store):
    """It is found by its id as before; the key makes a new order."""
    order = await backlog.accept(an_order(key="k"), ROOMY)
    failed = await backlog.fail(order.id, "sold_out")
    assert failed == order._replace(status="failed", reason="sold_out", key=None)
    assert await store.find_order(order.id) == failed
    assert await store.find_order_by_key("k") is None
    again = await backlog.accept(an_order(key="k"), ROOMY)
    assert again.id != order.id


async def test_the_first_word_stands(backlog):
    """Confirmed cannot fail, failed cannot be confirmed: each answers with what stands."""
    sold, failed = [await backlog.accept(an_order(key=key), ROOMY) for key in "ab"]
    await backlog.confirm(sold.id)
    await backlog.fail(failed.id, "sold_out")
    assert (await backlog.fail(sold.id, "sold_out")).status == "confirmed"
    assert (await backlog.confirm(failed.id)).order.status == "failed"


async def test_confirm_and_fail_at_once_agree(backlog, look):
    """Whichever comes first; stock is taken only for a sale."""
    orders = [await backlog.accept(an_order(key=f"k{n}"), ROOMY) for n in range(20)]
    for order in orders:
        placed, failed = await asyncio.gather(
            backlog.confirm(order.id), backlog.fail(order.id, "sold_out")
        )
        assert placed.order == failed
    sold = await look.fetchval("SELECT count(*) FROM orders")
    assert await stock_of(look) == STOCK - sold


async def test_nothing_is_known_of_an_unknown_order(backlog):
    """Neither confirmed nor failed."""
    assert await backlog.confirm("nobody") is None
    assert await backlog.fail("nobody", "sold_out") is None
    await backlog.settle("nobody")


async def test_what_the_queue_has_lost_is_queued_again(backlog, look):
    """Pending orders, and failed ones whose money is not back; each once, and no others."""
    pending, failed, sold, settled, kept = [
        await backlog.accept(an_order(key=key), ROOMY) for key in "abcde"
    ]
    await backlog.fail(failed.id, "sold_out")
    await backlog.confirm(sold.id)
    await backlog.fail(settled.id, "sold_out")
    await backlog.settle(settled.id)
    await look.execute("DELETE FROM pgqueuer WHERE dedupe_key <> $1", kept.id)
    found = await asyncio.gather(*(backlog.requeue_lost() for _ in range(4)))
    assert sum(found) == 2
    assert sorted(await queued(look)) == sorted([pending.id, failed.id, kept.id])


async def test_the_queues_own_memory_ends_after_an_hour(backlog, look):
    """Steps of a job long ago are forgotten, those of just now are not."""
    await backlog.accept(an_order(key="a"), ROOMY)
    await look.execute("UPDATE pgqueuer_log SET created = now() - interval '61 minutes'")
    await backlog.accept(an_order(key="b"), ROOMY)
    before = await look.fetchval("SELECT count(*) FROM pgqueuer_log")
    await backlog.requeue_lost()
    assert 0 < await look.fetchval("SELECT count(*) FROM pgqueuer_log") < before


async def test_a_long_memory_is_forgotten_piece_by_piece(backlog, look, monkeypatch):
    """What is too much for one statement is done in several, and holds up no search."""
    monkeypatch.setattr("bpdemo.downstream.backlog.FORGOTTEN_AT_ONCE", 2)
    lost = [await backlog.accept(an_order(key=key), ROOMY) for key in "abcde"]
    await look.execute("DELETE FROM pgqueuer")
    await look.execute("UPDATE pgqueuer_log SET created = now() - interval '61 minutes'")
    old = "SELECT count(*) FROM pgqueuer_log WHERE created < now() - interval '1 hour'"
    assert await backlog.requeue_lost() == len(lost)
    assert await look.fetchval(old) == 3
    await backlog.requeue_lost()
    await backlog.requeue_lost()
    assert await look.fetchval(old) == 0


async def test_services_that_start_at_once_make_its_tables_once(database_url):
    """And one that comes later finds them; PgQueuer's are among them."""
    stores = [PostgresStore(database_url, PATIENT, STOCK, SilentObserver()) for _ in range(4)]
    await asyncio.gather(*(store.start() for store in stores))
    async with started(database_url) as late:
        order = await PostgresBacklog(late).accept(an_order(key="k"), ROOMY)
        assert await PostgresBacklog(stores[0]).accept(an_order(key="k"), ROOMY) == order
    await asyncio.gather(*(store.stop() for store in stores))


async def test_a_database_of_an_earlier_version_is_made_fit(database_url):
    """Orders that were sold before stay sold; promises can be made beside them."""
    async with started(database_url) as store:
        sold = (await store.place(an_order(key="old"))).order
    async with connected(database_url) as look:
        await look.execute(QueryBuilderEnvironment(NAMES).build_uninstall_query())
        await look.execute(
            """DROP TABLE payments;
               DROP VIEW orders;
               ALTER TABLE claims DROP status, DROP reason, DROP settled;
               CREATE VIEW orders AS
                   SELECT id, item_id, quantity, amount_cents, created_at, key
                   FROM claims WHERE item_id IS NOT NULL"""
        )
    async with started(database_url) as store:
        assert await store.find_order(sold.id) == sold
        assert (await PostgresBacklog(store).accept(an_order(key="new"), 1)).status == "pending"


async def test_a_database_without_the_count_of_tries_gets_it(database_url):
    """Of the version before: every table is there, and the youngest column is not."""
    async with started(database_url) as store:
        promised = await PostgresBacklog(store).accept(an_order(key="k"), 1)
    async with connected(database_url) as look:
        await look.execute("ALTER TABLE claims DROP tries")
    async with started(database_url) as store, started(database_url) as other:
        counts = [await PostgresBacklog(s).count_try(promised.id) for s in (store, other, store)]
        assert counts == [1, 2, 3]
        assert await PostgresBacklog(store).count_try("nobody") == 0
