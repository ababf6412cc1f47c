"""A real PostgreSQL for tests: one server for the whole session, a fresh database for each test."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from bpdemo.downstream.embedded import EmbeddedPostgres, EmbeddedUnavailable

_numbers = count(1)

POLL_S = 0.005


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """Skips, with the reason, where PostgreSQL cannot run."""
    server = EmbeddedPostgres()
    try:
        asyncio.run(server.start())
    except EmbeddedUnavailable as error:
        pytest.skip(f"postgres: {error}")
    yield server
    asyncio.run(server.stop())


@pytest.fixture
async def database_url(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """The address of an empty database that is the test's own."""
    async with fresh_database(postgres_server.dsn) as url:
        yield url


@asynccontextmanager
async def fresh_database(server_url: str) -> AsyncIterator[str]:
    name = f"test_{next(_numbers)}"
    async with connected(server_url) as admin:
        await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        async with connected(server_url) as admin:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection beside those of the store, to look and to interfere."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def row_locked(url: str, item_id: int = 1) -> AsyncIterator[None]:
    """Nobody can buy that item during the block."""
    async with connected(url) as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM items WHERE id = $1 FOR UPDATE", item_id)
        yield


async def until(holds: Callable[[], object], within_s: float = 5.0) -> None:
    """Wait until it holds; fail if it does not in time."""
    try:
        async with asyncio.timeout(within_s):
            while not holds():  # noqa: ASYNC110 -- nothing tells us when
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        pytest.fail(f"did not come true within {within_s} s")


async def until_waiting(url: str, backends: int) -> None:
    """Wait until so many of the store's statements wait for a lock."""
    query = """SELECT count(*) FROM pg_stat_activity
               WHERE application_name = 'bpdemo' AND wait_event_type = 'Lock'"""
    async with connected(url) as connection, asyncio.timeout(5):
        while await connection.fetchval(query) < backends:  # noqa: ASYNC110 -- nor does it
            await asyncio.sleep(POLL_S)
