"""A PostgreSQL store on stage, and what one looks for there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from bpdemo.core.events import Event
from bpdemo.core.ports import Observer, SilentObserver
from bpdemo.downstream.postgres import PoolPolicy, PostgresStore
from tests.downstream.orders import an_order
from tests.support.policies import pool
from tests.support.postgres import row_locked, until_waiting
from tests.support.waiting import until

STOCK = 1000
PATIENT = pool(1, 4, 10.0, 10.0)
NO_CONNECTIONS = {"idle": 0, "busy": 0}


class Recorder:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def observe(self, event: Event, /) -> None:
        self.events.append(event)


@asynccontextmanager
async def started(
    url: str, pool: PoolPolicy = PATIENT, observer: Observer | None = None
) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(url, pool, STOCK, observer or SilentObserver())
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


async def at_rest(store: PostgresStore) -> None:
    """Wait until every connection has been given back."""
    await until(lambda: store.pool_counts()["busy"] == 0, within_s=5)


async def use_all_connections(store: PostgresStore, url: str, size: int) -> None:
    """Proof that none was leaked: that many statements run at once."""
    async with row_locked(url):
        placing = [asyncio.create_task(store.place(an_order())) for _ in range(size)]
        await until_waiting(url, size)
    await asyncio.gather(*placing)


async def cut_all(admin: asyncpg.Connection) -> None:
    await admin.execute(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name = 'bpdemo' AND datname = current_database()"""
    )
