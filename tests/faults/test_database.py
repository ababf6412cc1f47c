"""PostgreSQL hangs up, or has no connection left, in the middle of a sale.

It is killed in test_soak.py, and for a longer sale in tests/acceptance/test_database_killed.py.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import pytest

from tests.faults.stand import on_trial
from tests.support.postgres import connected, row_locked, until_waiting
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.load,
    pytest.mark.light,
    pytest.mark.usefixtures("postgres_server"),  # skips where there can be no server
]

CUT = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE application_name = 'bpdemo' AND pid <> pg_backend_pid()
"""


@contextlib.contextmanager
def item_locked(url: str, waiting: int) -> Iterator[None]:
    """Nobody can buy the crowd's item; begins when so many statements wait for it."""
    locked, over = threading.Event(), threading.Event()

    async def hold() -> None:
        async with row_locked(url):
            await until_waiting(url, waiting)
            locked.set()
            await asyncio.to_thread(over.wait)

    holder = threading.Thread(target=lambda: asyncio.run(hold()))
    holder.start()
    try:
        assert locked.wait(10), "no statement waits"
        yield
    finally:
        over.set()
        holder.join()


async def cut(url: str) -> int:
    async with connected(url) as connection:
        return int(await connection.fetchval(CUT))


def test_connections_cut_in_mid_query_cost_nothing(database_url):
    """Terminated while their statements wait, five times: told as an outage, replaced, retried."""
    with on_trial(store="postgres", database_url=database_url) as (_, crowd):
        for _ in range(5):
            with item_locked(database_url, waiting=2):
                assert asyncio.run(cut(database_url)) >= 2
            sold = crowd.crowd.statuses[201]
            eventually(lambda sold=sold: crowd.crowd.statuses[201] > sold, "it sells again")


def test_an_exhausted_pool_is_our_shortage_and_passes(database_url):
    """Two connections that wait for a lock: the others are told so, and no circuit opens for it."""
    with on_trial(
        store="postgres", database_url=database_url, pool_max=2, pool_acquire_timeout_s=0.05,
        breaker_min_calls=1000,
    ) as (server, _):  # fmt: skip
        with item_locked(database_url, waiting=2):
            exhausted = 'bpdemo_attempts_total{dependency="store",outcome="refused"}'

            def refusals() -> float:
                lines = server.ask("GET", "/metrics").body.decode().splitlines()
                return sum(float(line.split()[-1]) for line in lines if line.startswith(exhausted))

            eventually(lambda: refusals() > 5, "the pool is exhausted")
        assert server.stats["breakers"]["store"] == "closed"
