"""What only a real database can do to us: hang, break off, be away, come back."""

import asyncio
import os
import signal
import sys
import time

import asyncpg
import pytest

from bpdemo.core.errors import DependencyError, PoolExhausted, SoldOut
from bpdemo.core.ports import SilentObserver
from bpdemo.downstream.embedded import EmbeddedPostgres
from bpdemo.downstream.embedded_store import EmbeddedStore
from bpdemo.downstream.postgres import PostgresStore
from tests.downstream.orders import an_order
from tests.downstream.stage import (
    NO_CONNECTIONS,
    PATIENT,
    STOCK,
    at_rest,
    cut_all,
    started,
    use_all_connections,
)
from tests.support.policies import pool
from tests.support.postgres import connected, row_locked, until_waiting
from tests.support.waiting import until


async def test_a_statement_that_takes_too_long_is_given_up(database_url: str) -> None:
    async with started(
        database_url,
        pool(1, 1, 1.0, 0.1),
    ) as store:
        order = an_order()
        async with row_locked(database_url):
            with pytest.raises(DependencyError, match="QueryCanceled"):
                await store.place(order)
            assert await store.find_item(2)  # the connection is as good as new
        assert await store.void(order.id) is None


async def test_void_waits_for_a_place_that_goes_on(database_url: str) -> None:
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


async def test_a_connection_cut_off_in_the_middle_is_replaced(database_url: str) -> None:
    async with started(
        database_url,
        pool(1, 1, 1.0, 10.0),
    ) as store:
        order = an_order()
        async with row_locked(database_url), connected(database_url) as admin:
            placing = asyncio.create_task(store.place(order))
            await until_waiting(database_url, 1)
            await cut_all(admin)
            with pytest.raises(DependencyError):
                await placing
        assert await store.void(order.id) is None
        assert await store.find_item(1)


async def test_idle_connections_cut_off_do_no_harm(database_url: str) -> None:
    async with started(
        database_url,
        pool(4, 4, 1.0, 1.0),
    ) as store:
        async with connected(database_url) as admin:
            await cut_all(admin)
        await until(lambda: store.pool_counts()["idle"] == 0, within_s=5)
        assert await store.find_item(1)
        await use_all_connections(store, database_url, 4)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot halt a process")
async def test_a_server_that_says_nothing_holds_nobody_up(database_url: str) -> None:
    async with started(
        database_url,
        pool(1, 1, 0.2, 0.2),
    ) as store:
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
    database_url: str, postgres_server: EmbeddedPostgres
) -> None:
    async with started(
        database_url,
        pool(0, 1, 0.1, 1.0),
    ) as store:
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


async def test_stop_waits_for_nobody(database_url: str) -> None:
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


async def test_a_mistake_of_ours_is_no_outage(database_url: str) -> None:
    async with started(database_url) as store:
        async with connected(database_url) as admin:
            await admin.execute("ALTER TABLE claims RENAME TO elsewhere")
        with pytest.raises(asyncpg.UndefinedTableError):
            await store.find_order("x")
        await at_rest(store)


# They ask for the session's server only to be skipped where there can be none.


async def test_a_server_killed_under_load_comes_back_and_has_lost_nothing(
    postgres_server: EmbeddedPostgres,
) -> None:
    store = EmbeddedStore(
        pool(1, 8, 0.2, 0.5),
        1_000_000,
        SilentObserver(),
    )
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
            await until(lambda at=before: len(sold) > at + 200, within_s=60)
            pid = store.server.postmaster_pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
            await until(lambda old=pid: store.server.postmaster_pid not in (old, None), within_s=60)
        before = len(sold)
        await until(lambda at=before: len(sold) > at + 200, within_s=60)
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
    postgres_server: EmbeddedPostgres,
) -> None:
    server = EmbeddedPostgres()
    async with started(
        await server.start(),
        pool(2, 2, 5.0, 5.0),
    ) as store:
        await server.stop()
        began_s = time.monotonic()
        answers = await asyncio.gather(
            *(store.place(an_order()) for _ in range(20)), return_exceptions=True
        )
        assert {type(answer) for answer in answers} == {DependencyError}
        assert time.monotonic() - began_s < 1
        assert store.pool_counts() == NO_CONNECTIONS
