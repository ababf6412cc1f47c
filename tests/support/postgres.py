"""A real PostgreSQL for tests: one server for the whole session, fresh tables for each test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from bpdemo.downstream.embedded import EmbeddedPostgres, EmbeddedUnavailable
from tests.support.required import required_words

_numbers = count(1)

POLL_S = 0.005


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """Skips, with the reason, where PostgreSQL cannot run; fails where it must run."""
    server = EmbeddedPostgres()
    try:
        asyncio.run(server.start())
    except EmbeddedUnavailable as error:
        if "postgres" in required_words():
            pytest.fail(f"BPDEMO_REQUIRE=postgres, but: {error}")
        pytest.skip(f"postgres: {error}")
    yield server
    asyncio.run(server.stop())


@pytest.fixture
async def database_url(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """The address of an empty database, as it seems: a schema that is the test's own.

    A schema is there in a millisecond, a database takes a third of a second.
    """
    name = f"test_{next(_numbers)}"
    yield await _made(postgres_server, name)
    await _dropped(postgres_server, name)


@contextmanager
def schema_of_its_own(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The same where no loop runs, for as long as the block lasts."""
    name = f"test_{next(_numbers)}"
    yield asyncio.run(_made(postgres_server, name))
    asyncio.run(_dropped(postgres_server, name))


async def _made(postgres_server: EmbeddedPostgres, name: str) -> str:
    async with connected(postgres_server.dsn) as admin:
        await admin.execute(f"CREATE SCHEMA {name}")
    parts = urlsplit(postgres_server.dsn)
    query = "&".join(filter(None, [parts.query, f"search_path={name}"]))
    return urlunsplit(parts._replace(query=query))


async def _dropped(postgres_server: EmbeddedPostgres, name: str) -> None:
    async with connected(postgres_server.dsn) as admin:
        await admin.execute("SET lock_timeout = '5s'")
        await admin.execute(f"DROP SCHEMA {name} CASCADE")


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


async def until_waiting(url: str, backends: int) -> None:
    """Wait until so many of the store's statements wait for a lock."""
    query = """SELECT count(*) FROM pg_stat_activity
               WHERE application_name = 'bpdemo' AND wait_event_type = 'Lock'"""
    async with connected(url) as connection, asyncio.timeout(5):
        while await connection.fetchval(query) < backends:  # noqa: ASYNC110 -- nor does it
            await asyncio.sleep(POLL_S)
