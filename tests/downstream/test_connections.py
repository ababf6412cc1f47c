"""The pool: bounded, in time, and whole again whatever became of those who used it."""

import asyncio
import time
from contextlib import suppress
from random import Random

import pytest

from bpdemo.core.errors import PoolExhausted
from bpdemo.core.events import Event, PoolWaited
from tests.downstream.orders import an_order
from tests.downstream.stage import (
    STOCK,
    Recorder,
    at_rest,
    started,
    use_all_connections,
)
from tests.support.policies import pool
from tests.support.postgres import connected, row_locked, until_waiting


@pytest.mark.parametrize(
    "wrong",
    [(2, 1, 0, 0), (0, 0, 0, 0), (-1, 1, 0, 0), (0, 1, -0.1, 0), (0, 1, 0, float("inf"))],
)
def test_a_pool_that_cannot_be_is_refused(wrong: tuple[int, int, float, float]) -> None:
    with pytest.raises(ValueError, match="is no"):
        pool(*wrong)


async def test_a_full_pool_refuses_in_time_and_leaks_nothing(database_url: str) -> None:
    heard = Recorder()
    async with started(
        database_url,
        pool(0, 2, 0.1, 10.0),
        heard,
    ) as store:
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


async def test_without_a_limit_a_caller_waits_for_its_turn(database_url: str) -> None:
    async with started(database_url, pool(1, 1, 0, 0)) as store:
        async with row_locked(database_url):
            placing = asyncio.create_task(store.place(an_order()))
            await until_waiting(database_url, 1)
            finding = asyncio.create_task(store.find_item(2))
            assert not (await asyncio.wait([finding], timeout=0.05))[0]
        await placing
        assert await finding


class Observant:
    """An observer with a bug, from when it is `broken`."""

    def __init__(self) -> None:
        self.broken = False

    def observe(self, _: Event, /) -> None:
        if self.broken:
            raise ZeroDivisionError


async def test_an_observer_that_raises_loses_no_connection(database_url: str) -> None:
    """However often it does: each caller is told of the bug, and every connection is there for the
    next ones."""
    observer = Observant()
    async with started(database_url, pool(0, 2, 10.0, 10.0), observer) as store:
        observer.broken = True
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await store.find_item(1)
        observer.broken = False
        await at_rest(store)
        await use_all_connections(store, database_url, 2)


@pytest.mark.parametrize("leaves", ["told in vain", "cancelled"])
async def test_an_observer_that_raises_hides_no_end_of_a_wait(
    database_url: str, leaves: str
) -> None:
    """Who waited too long hears so, and who was cancelled is; neither takes a place along."""
    observer = Observant()
    acquire_timeout_s = 10.0 if leaves == "cancelled" else 0.05
    async with started(database_url, pool(1, 1, acquire_timeout_s, 10.0), observer) as store:
        async with row_locked(database_url):
            placing = asyncio.create_task(store.place(an_order()))
            await until_waiting(database_url, 1)
            observer.broken = True
            call = asyncio.create_task(store.find_item(2))
            if leaves == "cancelled":
                assert not (await asyncio.wait([call], timeout=0.05))[0]
                call.cancel()
            with pytest.raises(asyncio.CancelledError if call.cancelling() else PoolExhausted):
                await call
            observer.broken = False
        await placing
        await at_rest(store)
        await use_all_connections(store, database_url, 1)


async def test_callers_that_leave_the_line_leave_their_place(database_url: str) -> None:
    async with started(database_url, pool(1, 1, 0, 0)) as store:
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


async def test_cancelled_calls_leave_as_many_connections_as_before(database_url: str) -> None:
    rng = Random(5)
    async with started(
        database_url,
        pool(0, 4, 10.0, 10.0),
    ) as store:

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


async def test_a_cancelled_statement_ends_on_the_server_too(database_url: str) -> None:
    async with started(database_url) as store, row_locked(database_url):
        placing = asyncio.create_task(store.place(an_order()))
        await until_waiting(database_url, 1)
        placing.cancel()
        with suppress(asyncio.CancelledError):
            await placing
        await at_rest(store)
        await until_waiting(database_url, 0)
        assert await store.find_item(2)
