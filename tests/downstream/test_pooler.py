"""Behind PgBouncer, where each transaction may run on another connection of the database."""

import asyncio
from pathlib import Path

import pytest

from bpdemo.assembly.worker import DurableWorker
from bpdemo.core.errors import DependencyError, PoolExhausted, SettingsInvalid, SoldOut
from bpdemo.core.ports import SilentObserver
from bpdemo.core.settings import Settings
from bpdemo.downstream.backlog import PostgresBacklog
from bpdemo.downstream.embedded import EmbeddedPostgres
from bpdemo.downstream.pooler import is_pooled
from bpdemo.downstream.postgres import PostgresStore
from tests.downstream.orders import an_order
from tests.downstream.stage import PATIENT, STOCK, at_rest, started
from tests.support.pgbouncer import FORGETFUL, pgbouncer
from tests.support.policies import pool
from tests.support.postgres import connected, row_locked, until_waiting

pytestmark = pytest.mark.pgbouncer

CROWD = pool(1, 30, 10.0, 10.0)


async def test_a_server_of_its_own_is_not_taken_for_a_pooler(direct_url: str) -> None:
    """Or every service would pay for what few need."""
    assert not await is_pooled(direct_url)


@pytest.mark.parametrize("mode", ["transaction", "session"])
@pytest.mark.parametrize("more", ["", FORGETFUL], ids=["strict", "forgetful"])
async def test_a_pooler_is_known_however_it_is_set(
    mode: str, more: str, postgres_server: EmbeddedPostgres, tmp_path: Path, fresh_database: str
) -> None:
    """It refuses the settings of a session, or takes them and loses them: sold to either way."""
    with pgbouncer(tmp_path, str(postgres_server.folder), mode=mode, more=more) as url:
        pooled_url = f"{url}{fresh_database}?sslmode=disable"
        assert await is_pooled(pooled_url)
        async with started(pooled_url) as store:
            order = an_order()
            await store.place(order)
            assert await store.find_order(order.id) == order


async def test_thirty_clients_share_three_connections(pooled_url: str, direct_url: str) -> None:
    """Reads, sales and repeats at once, each on whichever connection is free: nothing that one left
    there is another's, and the stock is right to the last ticket."""
    async with started(pooled_url, CROWD) as store, started(pooled_url, CROWD) as other:
        orders = [an_order(key=f"key {n}") for n in range(60)]
        placing = [place(order) for order in orders for place in (store.place, other.place)]
        reading = [store.list_items(5, n) for n in range(60)]
        placed, pages = await asyncio.gather(asyncio.gather(*placing), asyncio.gather(*reading))
        assert all(len(page) == 5 for page in pages)
        assert {done.order.id for done in placed} == {order.id for order in orders}
        assert (await store.place(an_order())).stock_left == STOCK - 61
    async with connected(direct_url) as look:
        assert await look.fetchval("SELECT count(*) FROM orders") == 61


async def test_a_promise_is_made_whole_or_not_at_all(pooled_url: str) -> None:
    """Its two tables are written in one transaction of their own, also inside ours."""
    async with started(pooled_url) as store:
        backlog = PostgresBacklog(store)
        order = an_order()
        assert (await backlog.accept(order, 10)).status == "pending"
        assert (await store.find_order(order.id)).status == "pending"
        assert await backlog.depth() == 1
        assert (await backlog.confirm(order.id)).order.id == order.id


async def test_sold_out_leaves_a_connection_that_works(pooled_url: str) -> None:
    """The error has ended its transaction, and the next begins anew."""
    async with started(
        pooled_url,
        pool(1, 1, 10.0, 10.0),
    ) as store:
        for _ in range(3):
            with pytest.raises(SoldOut):
                await store.place(an_order(quantity=STOCK + 1))
            assert (await store.find_item(1)).in_stock
        await at_rest(store)
        assert store.pool_counts() == {"idle": 1, "busy": 0}


@pytest.mark.parametrize("turned", [False, True], ids=["from the start", "turned"])
async def test_a_statement_ends_in_time_on_the_server(
    turned: bool, pooled_url: str, direct_url: str
) -> None:
    """The limit is set anew in each transaction, since nothing that a session was told would last;
    and it is no other client's limit afterwards."""
    async with started(
        pooled_url,
        pool(1, 2, 1.0, 9.0 if turned else 0.2),
    ) as store:
        store.retune(0.2)
        async with row_locked(direct_url):
            clock = asyncio.get_running_loop().time
            began_s = clock()
            with pytest.raises(DependencyError):
                await store.place(an_order())
            assert 0.19 < clock() - began_s < 2
        await store.place(an_order())
        async with connected(pooled_url) as neighbour:
            assert await neighbour.fetchval("SHOW statement_timeout") == "0"


async def test_a_caller_that_leaves_gives_its_place_back(pooled_url: str, direct_url: str) -> None:
    """At once, and what it asked for did not happen."""
    order = an_order()
    async with started(
        pooled_url,
        pool(1, 1, 5.0, 10.0),
    ) as store:
        async with row_locked(direct_url):
            placing = asyncio.create_task(store.place(order))
            await until_waiting(direct_url, 1)
            placing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await placing
        await at_rest(store)
        assert await store.find_order(order.id) is None
        assert (await store.place(an_order())).stock_left == STOCK - 1


async def test_too_few_connections_are_our_shortage(pooled_url: str, direct_url: str) -> None:
    """Told apart from a database that is away, as without a pooler."""
    async with (
        started(
            pooled_url,
            pool(1, 1, 0.1, 10.0),
        ) as store,
        row_locked(direct_url),
    ):
        placing = asyncio.create_task(store.place(an_order()))
        await until_waiting(direct_url, 1)
        with pytest.raises(PoolExhausted):
            await store.find_item(1)
        placing.cancel()
        await asyncio.wait([placing])


async def test_a_transaction_that_cannot_begin_has_asked_for_nothing(
    postgres_server: EmbeddedPostgres, tmp_path: Path, fresh_database: str
) -> None:
    """So the caller may be told a definite no."""
    with pgbouncer(tmp_path, str(postgres_server.folder)) as url:
        pooled_url = f"{url}{fresh_database}?sslmode=disable"
        store = PostgresStore(pooled_url, PATIENT, STOCK, SilentObserver())
        await store.start()
    with pytest.raises(DependencyError) as caught:
        await store.place(an_order())
    assert not caught.value.asked
    await store.stop()


async def test_a_worker_says_that_it_needs_the_database_itself(pooled_url: str) -> None:
    """It listens, which no pooler of this kind can pass on."""
    settings = Settings(store="postgres", database_url=pooled_url)
    with pytest.raises(SettingsInvalid, match=r"PgBouncer.*listens.*database itself") as caught:
        await DurableWorker(settings, "a worker").run(lambda: None)
    assert caught.value.field == "database_url"


async def test_a_setting_in_the_url_is_refused_in_the_poolers_words(pooled_url: str) -> None:
    """It is the one who wrote it that can do something about it."""
    with pytest.raises(SettingsInvalid, match="work_mem"):
        async with started(f"{pooled_url}&work_mem=8MB"):
            pass
