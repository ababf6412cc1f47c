"""The durable worker's work on promised orders, and the worker around it, on a real PostgreSQL."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from bpdemo.assembly.worker import DurableWorker
from bpdemo.core.errors import DependencyError, SettingsInvalid
from bpdemo.core.model import Order
from bpdemo.core.ports import SilentObserver
from bpdemo.core.settings import Settings
from bpdemo.downstream.backlog import PostgresBacklog
from bpdemo.downstream.postgres import PostgresStore
from bpdemo.service.durable_work import GIVE_UP_S, TRIES
from tests.downstream.orders import an_order
from tests.downstream.stage import PATIENT, STOCK, cut_all
from tests.support.postgres import connected, database_url, postgres_server
from tests.support.waiting import PATIENCE_S

__all__ = ["database_url", "postgres_server"]

#: Nothing takes time but what must; a busy machine must not turn an answer into a time-out.
QUICK = {
    "payment_latency_s": 0.0,
    "attempt_timeout_s": 0.0,
    "pool_acquire_timeout_s": 0.0,
    "retry_base_s": 0.0,
    "cache_ttl_s": 0.0,
    "breaker_enabled": False,
}


class Desk:
    """A service's side of the database, and a look at what becomes of its promises."""

    def __init__(self, store: PostgresStore, look: asyncpg.Connection) -> None:
        self.store = store
        self.look = look
        self.backlog = PostgresBacklog(store)

    async def promise(self, key: str, quantity: int = 1) -> Order:
        return await self.backlog.accept(an_order(quantity=quantity, key=key), 1000)

    async def promise_many(self, number: int) -> list[Order]:
        return [await self.promise(f"k{n}") for n in range(number)]

    async def standing(self, order: Order) -> Order:
        found = await self.store.find_order(order.id)
        assert found is not None
        return found

    async def money(self) -> int:
        """Charged, less refunded."""
        left: int = await self.look.fetchval(
            "SELECT count(*) FROM payments WHERE charged_at IS NOT NULL AND refunded_at IS NULL"
        )
        return left

    async def sold(self) -> int:
        sold: int = await self.look.fetchval("SELECT count(*) FROM orders")
        return sold

    async def all_settled(self, within_s: float = 3 * PATIENCE_S) -> None:
        async with asyncio.timeout(within_s):
            # By a connection that nothing here cuts.
            while await self.look.fetchval("SELECT EXISTS (SELECT FROM claims WHERE NOT settled)"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    store = PostgresStore(database_url, PATIENT, STOCK, SilentObserver())
    await store.start()
    async with connected(database_url) as look:
        yield Desk(store, look)
    await store.stop()


def make_worker(url: str, log: io.StringIO | None = None, **knobs) -> DurableWorker:
    settings = Settings(**({"store": "postgres", "database_url": url} | QUICK | knobs))
    return DurableWorker(settings, "tested", log_stream=log or io.StringIO())


@asynccontextmanager
async def at_work(
    url: str, log: io.StringIO | None = None, **knobs
) -> AsyncIterator[DurableWorker]:
    """A worker that runs until the end of the block, and drains then."""
    worker, ready = make_worker(url, log, **knobs), asyncio.Event()
    running = asyncio.create_task(worker.run(ready.set))
    async with asyncio.timeout(PATIENCE_S):
        await ready.wait()
    try:
        yield worker
    finally:
        worker.stop()
        async with asyncio.timeout(3 * PATIENCE_S):
            await running


@asynccontextmanager
async def by_hand(url: str, **knobs) -> AsyncIterator[DurableWorker]:
    """One whose work is called by the test, order by order."""
    worker = make_worker(url, **knobs)
    await worker.store.start()
    try:
        yield worker
    finally:
        await worker.store.stop()


def fail_every_charge(worker: DurableWorker) -> None:
    """From now on, after it was asked."""

    async def charge(key: str, amount_cents: int) -> None:
        raise DependencyError

    worker.work._payment.charge = charge  # type: ignore[method-assign]


async def test_a_promised_order_is_sold_and_charged_once(desk: Desk, database_url: str) -> None:
    """Done again, as after the death of a worker, it changes nothing."""
    order = await desk.promise("k", quantity=2)
    async with by_hand(database_url) as worker:
        for _ in range(3):
            assert await worker.work.work(order.id, 0) is None
    assert await desk.standing(order) == order._replace(status="confirmed")
    assert (await desk.money(), await desk.sold(), await desk.backlog.depth()) == (1, 1, 0)


async def test_workers_who_come_to_one_order_at_once_sell_it_once(desk, database_url) -> None:
    """Ten at a time, in two workers: one charge, one sale."""
    order = await desk.promise("k")
    async with by_hand(database_url) as one, by_hand(database_url) as other:
        ended = await asyncio.gather(
            *((one, other)[n % 2].work.work(order.id, 0) for n in range(10))
        )
    assert ended == [None] * 10
    assert (await desk.money(), await desk.sold()) == (1, 1)
    assert await desk.look.fetchval("SELECT stock FROM items WHERE id = 1") == STOCK - 1


async def test_sold_out_fails_and_gives_the_money_back(desk: Desk, database_url: str) -> None:
    """There were two and three are wanted: charged first, then refunded."""
    order = await desk.promise("k", quantity=3)
    await desk.look.execute("UPDATE items SET stock = 2 WHERE id = 1")
    async with by_hand(database_url) as worker:
        assert await worker.work.work(order.id, 0) is None
    standing = await desk.standing(order)
    assert (standing.status, standing.reason) == ("failed", "sold_out")
    assert await desk.look.fetchval("SELECT count(refunded_at) FROM payments") == 1
    assert (await desk.money(), await desk.sold(), await desk.backlog.depth()) == (0, 0, 0)


async def test_what_is_gone_is_not_charged_for(desk: Desk, database_url: str) -> None:
    """Nothing is left of it: no need to take the money first."""
    order = await desk.promise("k")
    await desk.look.execute("UPDATE items SET stock = 0 WHERE id = 1")
    async with by_hand(database_url) as worker:
        await worker.work.work(order.id, 0)
    assert (await desk.standing(order)).reason == "sold_out"
    assert await desk.look.fetchval("SELECT count(charged_at) FROM payments") == 0


async def test_a_payment_that_fails_gives_the_order_back(desk: Desk, database_url: str) -> None:
    """It stays pending and is tried again later, later each time; with the tenth try that asked for
    it while others are sold, it fails."""
    order = await desk.promise("k")
    async with by_hand(database_url) as worker:
        other = await desk.promise("other")
        assert await worker.work.work(other.id, 0) is None
        fail_every_charge(worker)
        waits_s = [await worker.work.work(order.id, n) for n in range(TRIES - 1)]
        assert 0 < waits_s[0] <= 1
        assert 15 <= waits_s[-1] <= 30
        assert (await desk.standing(order)).status == "pending"
        await worker.work.work(order.id, TRIES - 1)
    standing = await desk.standing(order)
    assert (standing.status, standing.reason) == ("failed", "downstream_failed")
    async with by_hand(database_url) as worker:
        assert await worker.work.work(order.id, TRIES) is None
    assert (await desk.money(), await desk.backlog.depth()) == (1, 0)


async def test_a_payment_that_fails_everybody_keeps_the_order(desk, database_url) -> None:
    """Asked for and failed a hundred times while nobody is sold: that is an outage, and no try."""
    order = await desk.promise("k")
    async with by_hand(database_url, payment_failure_rate=1.0) as worker:
        for given_back in range(100):
            assert await worker.work.work(order.id, given_back) is not None
    assert await desk.look.fetchval("SELECT tries FROM claims") == 0
    async with by_hand(database_url) as worker:
        assert await worker.work.work(order.id, 100) is None
    assert (await desk.standing(order)).status == "confirmed"


async def test_a_payment_that_cannot_be_reached_keeps_the_order(desk, database_url) -> None:
    """Nobody was asked: given back for the hundredth time it is as good as new, for a day."""
    order = await desk.promise("k")
    async with by_hand(database_url, payment_outage=True) as worker:
        for given_back in range(0, 100, 10):
            assert await worker.work.work(order.id, given_back, GIVE_UP_S - 1) is not None
        assert await desk.look.fetchval("SELECT tries FROM claims") == 0
        assert (await desk.standing(order)).status == "pending"
        await worker.work.work(order.id, 100, GIVE_UP_S)
    assert (await desk.standing(order)).status == "failed"


async def test_the_age_of_an_order_is_told_by_its_database(desk: Desk, database_url: str) -> None:
    """However a worker's clock goes, and counted from when it was put into the queue."""
    order = await desk.promise("k")
    await desk.look.execute("UPDATE pgqueuer SET created = created - interval '30 hours'")
    async with at_work(database_url, payment_outage=True), asyncio.timeout(PATIENCE_S):
        while (await desk.standing(order)).status == "pending":  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(0.01)
    assert (await desk.standing(order)).status == "failed"


async def test_a_refund_is_owed_until_it_is_made(desk: Desk, database_url: str) -> None:
    """The order has failed, and stays in the queue and in the depth until its money is back."""
    order = await desk.promise("k")
    async with by_hand(database_url, payment_outage=True) as worker:
        assert await worker.work.work(order.id, 0, GIVE_UP_S) is not None
    assert (await desk.standing(order)).status == "failed"
    assert await desk.backlog.depth() == 1
    async with by_hand(database_url) as worker:
        assert await worker.work.work(order.id, 1) is None
    assert await desk.backlog.depth() == 0


async def test_lost_answers_cost_nobody_anything(desk: Desk, database_url: str) -> None:
    """Four of ten calls fail, half of those after they were done: the sums are right."""
    orders = await desk.promise_many(40)
    flaky = {"payment_failure_rate": 0.4, "store_failure_rate": 0.4, "seed": 7}
    async with by_hand(database_url, **flaky, retry_budget_enabled=False) as worker:
        for tries in range(3 * TRIES):
            for order in orders:
                await worker.work.work(order.id, tries)
    ends = [(await desk.standing(order)).status for order in orders]
    assert "pending" not in ends
    assert await desk.money() == await desk.sold() == ends.count("confirmed") > 0
    assert await desk.backlog.depth() == 0


async def test_an_open_circuit_charges_nothing(desk: Desk, database_url: str) -> None:
    """The same guard as in the service: once it is open nobody is called, and orders are kept."""
    orders = await desk.promise_many(8)
    knobs = {"breaker_enabled": True, "breaker_min_calls": 3, "breaker_open_s": 600.0}
    async with by_hand(database_url, payment_failure_rate=1.0, seed=3, **knobs) as worker:
        waits_s = [await worker.work.work(order.id, 0) for order in orders]
    assert max(waits_s) > 100  # no sooner than the breaker half-opens
    assert {(await desk.standing(order)).status for order in orders} == {"pending"}


async def test_a_job_for_nobody_is_done(desk: Desk, database_url: str) -> None:
    """An id that no order has is dropped, and not tried for ever."""
    async with by_hand(database_url) as worker:
        assert await worker.work.work("nobody", 0) is None


async def test_it_works_off_what_is_there_and_what_comes(desk: Desk, database_url: str) -> None:
    """Promised before it started and after; each is logged once, with its id."""
    log = io.StringIO()
    orders = await desk.promise_many(10)
    async with at_work(database_url, log):
        await desk.all_settled()
        orders += [await desk.promise(f"later {n}") for n in range(10)]
        await desk.all_settled()
    assert {(await desk.standing(order)).status for order in orders} == {"confirmed"}
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    told = [line["order_id"] for line in lines if line["event"] == "durable_order"]
    assert sorted(told) == sorted(order.id for order in orders)
    assert {line["worker"] for line in lines} == {"tested"}


async def test_no_more_at_once_than_it_has_places(desk: Desk, database_url: str) -> None:
    """Two places, a slow payment, ten orders: never more than two are charged and not sold."""
    await desk.promise_many(10)
    most = 0
    async with at_work(database_url, workers=2, payment_latency_s=0.05):
        async with asyncio.timeout(3 * PATIENCE_S):
            while await desk.backlog.depth():
                open_now = await desk.look.fetchval(
                    """SELECT count(*) FROM payments JOIN claims ON claims.id = payments.key
                       WHERE claims.status = 'pending'"""
                )
                most = max(most, open_now)
                await asyncio.sleep(0)
    assert 1 <= most <= 2


async def test_stopped_it_finishes_what_it_has_and_gives_back_the_rest(desk, database_url) -> None:
    """One place, a payment of a second, five orders: one is sold, four are in the queue again, and
    nobody has tried them."""
    await desk.promise_many(5)
    async with at_work(database_url, workers=1, payment_latency_s=1.0) as worker:
        async with asyncio.timeout(PATIENCE_S):
            while not await desk.money():  # noqa: ASYNC110 -- it tells nobody
                await asyncio.sleep(0.01)
        worker.stop()
    assert await desk.money() == await desk.sold() == 1
    left = await desk.look.fetch("SELECT status::text AS status, attempts FROM pgqueuer")
    assert [tuple(row) for row in left] == [("queued", 0)] * 4


async def test_what_it_leaves_to_others_stays_theirs(desk: Desk, database_url: str) -> None:
    """Its payment hangs and the drain is over: `run` returns, nothing of it runs on, and the job is
    where it was, to be finished by the next with no second charge."""
    await desk.promise_many(1)
    before = asyncio.all_tasks()
    hangs = {"payment_latency_s": 3600.0, "attempt_timeout_s": 0.0, "drain_timeout_s": 0.1}
    log = io.StringIO()
    async with at_work(database_url, log, **hangs) as worker:
        async with asyncio.timeout(PATIENCE_S):
            while not await desk.look.fetchval("SELECT count(*) FROM payments"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        worker.stop()
    assert asyncio.all_tasks() <= before
    assert "left_to_others" in log.getvalue()
    left = await desk.look.fetch("SELECT status::text AS status FROM pgqueuer")
    assert [row["status"] for row in left] == ["picked"]
    async with at_work(database_url):
        await desk.all_settled()
    assert await desk.money() == await desk.sold() == 1


async def test_cut_from_its_database_it_comes_back(desk: Desk, database_url: str) -> None:
    """Every connection is cut in the middle: nothing is lost, nothing is charged twice."""
    await desk.promise_many(60)
    log = io.StringIO()
    async with at_work(database_url, log, payment_latency_s=0.02):
        async with asyncio.timeout(PATIENCE_S):
            while await desk.sold() < 10:  # noqa: ASYNC110 -- it tells nobody
                await asyncio.sleep(0.005)
        await cut_all(desk.look)
        await desk.look.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE application_name = 'bpdemo worker'"""
        )
        await desk.all_settled()
    assert "database_away" in log.getvalue()
    assert await desk.money() == await desk.sold() == 60


async def test_what_the_queue_lost_is_found_again(desk: Desk, database_url: str) -> None:
    """Promises that no queue knows of are swept up."""
    orders = await desk.promise_many(3)
    await desk.look.execute("DELETE FROM pgqueuer")
    async with at_work(database_url):
        await desk.all_settled()
    assert {(await desk.standing(order)).status for order in orders} == {"confirmed"}


@pytest.mark.parametrize("store", ["memory", "embedded"])
def test_a_store_nobody_shares_is_refused(store: str) -> None:
    """One clear line that says what to set."""
    with pytest.raises(SettingsInvalid) as caught:
        DurableWorker(Settings(store=store), "w")
    assert caught.value.field == "store"
    assert "store=postgres" in str(caught.value)
