"""Two services and two durable workers share one PostgreSQL, and one worker is killed.

    BPDEMO_DURABLE_ORDERS=5000 pytest -s tests/acceptance/test_two_workers.py

plays the long form.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import NamedTuple

import asyncpg
import httpx
import pytest

from tests.support.postgres import connected, database_url, postgres_server
from tests.support.server import Command, assert_balanced
from tests.support.waiting import LOOK_EVERY_S

__all__ = ["database_url", "postgres_server"]

pytestmark = [
    pytest.mark.load,
    pytest.mark.timeout(280),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals as POSIX has them"),
]

ORDERS = int(os.environ.get("BPDEMO_DURABLE_ORDERS", "300"))
RATE_PER_S = 150.0
#: Together they take about 160 a second, so at the kill neither stands idle.
PLACES = 4
STOCK = 1_000_000
#: What the dead worker's jobs wait for, and then some on a busy machine; and each order a share.
PATIENCE_S = 40 + ORDERS / 50

PAID = """
SELECT count(charged_at) AS charged, count(refunded_at) AS refunded, sum(asked) AS asked
FROM payments
"""

#: One that a worker who runs would have sold long ago.
CHARGED_AND_STUCK = """
SELECT EXISTS (
    SELECT FROM payments JOIN claims ON claims.id = payments.key
    WHERE claims.status = 'pending' AND payments.charged_at < now() - interval '1 s'
)
"""
FROZEN_S = 2.0

REDONE = """
SELECT count(*) FROM (
    SELECT job_id FROM pgqueuer_log WHERE status = 'picked' GROUP BY job_id HAVING count(*) > 1
) AS twice
"""


class Company(NamedTuple):
    """Two services by their address, and two workers."""

    ports: list[int]
    services: list[Command]
    workers: list[Command]


@contextmanager
def company(url: str) -> Iterator[Company]:
    env = {
        "BPDEMO_STORE": "postgres",
        "BPDEMO_DATABASE_URL": url,
        "BPDEMO_ASYNC_QUEUE_CAPACITY": str(ORDERS),
        "BPDEMO_LOG_LEVEL": "warning",
    }
    with ExitStack() as stack:
        services = [stack.enter_context(Command("serve", "--port", "0", **env)) for _ in range(2)]
        ports = [service.port() for service in services]
        workers = [
            stack.enter_context(
                Command("worker", "--name", f"worker-{n}", **env | {"BPDEMO_WORKERS": str(PLACES)})
            )
            for n in (1, 2)
        ]
        for worker in workers:
            assert worker.process.stdout is not None
            assert worker.process.stdout.readline().startswith("ready "), worker.stderr
        yield Company(ports, services, workers)


async def test_a_killed_workers_orders_are_done_once_and_charged_once(database_url: str) -> None:
    """Every order that was promised is sold once and charged once, though half of the workers died
    with orders in hand; none is lost."""
    began_s = time.monotonic()
    with company(database_url) as those:
        async with connected(database_url) as look:
            killing = asyncio.create_task(_kill_in_the_middle(those.workers[0], look))
            promised = await _order_all(those.ports)
            await killing
        async with connected(database_url) as look:
            await _until(look, "SELECT NOT EXISTS (SELECT FROM claims WHERE NOT settled)")
            took_s = time.monotonic() - began_s
            sold = [row["id"] for row in await look.fetch("SELECT id FROM orders")]
            paid = await look.fetchrow(PAID)
            stock = await look.fetchval("SELECT sum(stock) FROM items")
            redone = await look.fetchval(REDONE)
        told, books = await _told(those.ports, promised)
        for command in (those.workers[1], *those.services):
            command.signal()
        codes = [command.wait() for command in (those.workers[1], *those.services)]
    print(
        f"\n{ORDERS} orders in {took_s:.1f} s: {redone} jobs redone, "
        f"{paid['asked'] - ORDERS} charges asked for again, {paid['charged'] - ORDERS} made twice"
    )
    assert len(promised) == len(set(promised)) == ORDERS
    assert sorted(sold) == sorted(promised)
    assert (paid["charged"], paid["refunded"]) == (ORDERS, 0)
    assert stock == 100 * STOCK - ORDERS
    assert redone >= 1, "the worker was killed with nothing in hand: this run proves nothing"
    assert paid["asked"] > ORDERS, "and with nothing charged"
    assert told == {"confirmed": ORDERS}
    for one in books:
        assert_balanced(one)
    assert sum(one["success"] for one in books) >= ORDERS
    assert codes == [0, 0, 0]


async def _order_all(ports: list[int]) -> list[str]:
    """The ids of all orders, each asked for at a random moment, again until it is acknowledged."""
    chance, tasks = random.Random(4), []
    limits = httpx.Limits(max_connections=200, keepalive_expiry=2)
    async with (
        httpx.AsyncClient(limits=limits, timeout=30, trust_env=False) as client,
        asyncio.TaskGroup() as group,
    ):
        for number in range(ORDERS):
            tasks.append(group.create_task(_order(client, ports, number)))
            await asyncio.sleep(chance.expovariate(RATE_PER_S))
    return [task.result() for task in tasks]


async def _order(client: httpx.AsyncClient, ports: list[int], number: int) -> str:
    for attempt in count():
        answer = await client.post(
            f"http://127.0.0.1:{ports[(number + attempt) % 2]}/orders",
            json={"item_id": 1 + number % 100, "quantity": 1},
            headers={"Idempotency-Key": f"order {number}", "Prefer": "respond-async"},
        )
        # 201: the promise took two attempts, and between them a worker has kept it.
        if answer.status_code in (200, 201, 202):
            return str(answer.json()["id"])
        assert answer.status_code in (503, 504), answer.text
        await asyncio.sleep(0.05)
    raise AssertionError


async def _kill_in_the_middle(worker: Command, look: asyncpg.Connection) -> None:
    """When a third is sold, and while it has an order in hand that is charged and not yet sold."""
    await _until(look, f"SELECT count(*) >= {ORDERS // 3} FROM orders")
    while True:
        worker.signal(signal.SIGSTOP)  # so that nothing moves while we look
        try:
            await _until(look, CHARGED_AND_STUCK, FROZEN_S)
            break
        except TimeoutError:  # it had none; try again at another moment
            worker.signal(signal.SIGCONT)
    worker.signal(signal.SIGKILL)


async def _told(ports: list[int], promised: list[str]) -> tuple[Counter[str], list[dict[str, int]]]:
    """What `GET /orders/{id}` says of each, by status; and the books of the services."""
    told: Counter[str] = Counter()
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        for number, order_id in enumerate(promised):
            answer = await client.get(f"http://127.0.0.1:{ports[number % 2]}/orders/{order_id}")
            told[answer.json()["status"]] += 1
        stats = [await client.get(f"http://127.0.0.1:{port}/stats") for port in ports]
    return told, [answer.json()["books"] for answer in stats]


async def _until(look: asyncpg.Connection, question: str, within_s: float = PATIENCE_S) -> None:
    async with asyncio.timeout(within_s):
        while not await look.fetchval(question):  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(LOOK_EVERY_S)
