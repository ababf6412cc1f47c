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
from contextlib import ExitStack
from itertools import count
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.postgres import connected, database_url, postgres_server
from tests.support.server import Command, assert_balanced
from tests.support.waiting import LOOK_EVERY_S

__all__ = ["database_url", "postgres_server"]

pytestmark = [
    pytest.mark.load,
    pytest.mark.light,
    pytest.mark.timeout(280),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals as POSIX has them"),
]

ORDERS = int(os.environ.get("BPDEMO_DURABLE_ORDERS", "300"))
RATE_PER_S = 150.0
CALLERS = 32
LIMITS = httpx.Limits(max_connections=CALLERS, keepalive_expiry=2)
#: Together they take about 80 a second, far fewer than are promised, so that neither stands idle,
#: also where a busy machine promises slowly.
PLACES = 2
STOCK = 1_000_000
#: What the dead worker's jobs wait for, and then some on a busy machine; and each order a share.
PATIENCE_S = 40 + ORDERS / 50

PAID = """
SELECT count(charged_at) AS charged, count(refunded_at) AS refunded, sum(asked) AS asked
FROM payments
"""

#: The only worker there is at first.
FIRST_TO_TAKE = "SELECT queue_manager_id FROM pgqueuer WHERE queue_manager_id IS NOT NULL LIMIT 1"

#: An order that a frozen worker has charged and will not sell: what was under way has arrived.
CHARGED_AND_STUCK = """
SELECT EXISTS (
    SELECT FROM pgqueuer
    JOIN payments ON payments.key = pgqueuer.dedupe_key
    JOIN claims ON claims.id = pgqueuer.dedupe_key
    WHERE pgqueuer.queue_manager_id = $1 AND claims.status = 'pending'
        AND payments.charged_at < now() - interval '0.5 s'
)
"""
FROZEN_S = 1.0
#: So long it goes on before it is stopped at another moment; continued and stopped at once it would
#: never get on.
GOES_ON_S = 0.02

REDONE = """
SELECT count(*) FROM (
    SELECT job_id FROM pgqueuer_log WHERE status = 'picked' GROUP BY job_id HAVING count(*) > 1
) AS twice
"""


class Company:
    """Two services on one database, and workers as they are asked for; all gone at the end."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        self._stack = stack
        self._env = {
            "BPDEMO_STORE": "postgres",
            "BPDEMO_DATABASE_URL": url,
            "BPDEMO_ASYNC_QUEUE_CAPACITY": str(ORDERS),
            "BPDEMO_LOG_LEVEL": "warning",
        }
        self.services = [self._start("serve", "--port", "0") for _ in range(2)]
        self.ports = [service.port() for service in self.services]

    def start_worker(self, name: str) -> Command:
        worker = self._start("worker", "--name", name, "--set", f"workers={PLACES}")
        assert worker.process.stdout is not None
        assert worker.process.stdout.readline() == f"ready {name}\n", worker.stderr
        return worker

    def _start(self, *arguments: str) -> Command:
        return self._stack.enter_context(Command(*arguments, **self._env))


async def test_a_killed_workers_orders_are_done_once_and_charged_once(database_url: str) -> None:
    """Every order that was promised is sold once and charged once, though half of the workers died
    with orders in hand; none is lost."""
    with ExitStack() as stack:
        those = Company(database_url, stack)
        doomed = those.start_worker("doomed")
        began_s = time.monotonic()
        async with connected(database_url) as look:
            ordering = asyncio.create_task(_order_all(those.ports))
            doomed_id = await _until(look, FIRST_TO_TAKE)
            other = await asyncio.to_thread(those.start_worker, "other")
            await _kill_in_the_middle(doomed, doomed_id, look)
            promised = await ordering
            await _until(look, "SELECT NOT EXISTS (SELECT FROM claims WHERE NOT settled)")
            took_s = time.monotonic() - began_s
            sold = [row["id"] for row in await look.fetch("SELECT id FROM orders")]
            paid = await look.fetchrow(PAID)
            stock = await look.fetchval("SELECT sum(stock) FROM items")
            redone = await look.fetchval(REDONE)
        told, books = await _told(those.ports, promised)
        left = (other, *those.services)
        for command in left:
            command.signal()
        codes = [command.wait() for command in left]
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
    """The ids of all orders, each asked for at a random moment, again until it is acknowledged.

    A machine that is too slow for the rate has callers wait for their turn, not storm the door.
    """
    chance, tasks, turn = random.Random(4), [], asyncio.Semaphore(CALLERS)
    async with (
        httpx.AsyncClient(limits=LIMITS, timeout=30, trust_env=False) as client,
        asyncio.TaskGroup() as group,
    ):
        for number in range(ORDERS):
            await turn.acquire()
            task = group.create_task(_order(client, ports, number))
            task.add_done_callback(lambda _: turn.release())
            tasks.append(task)
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
        await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
    raise AssertionError


async def _kill_in_the_middle(worker: Command, its_id: UUID, look: asyncpg.Connection) -> None:
    """When a third is sold, and while it has an order in hand that is charged and not yet sold."""
    await _until(look, f"SELECT count(*) >= {ORDERS // 3} FROM orders")
    while True:
        worker.signal(signal.SIGSTOP)  # so that nothing moves while we look
        try:
            await _until(look, CHARGED_AND_STUCK, its_id, within_s=FROZEN_S)
            break
        except TimeoutError:  # it had none
            worker.signal(signal.SIGCONT)
            await asyncio.sleep(GOES_ON_S)
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


async def _until(
    look: asyncpg.Connection, question: str, *given: object, within_s: float = PATIENCE_S
) -> Any:
    """What the database answers, once it is true."""
    async with asyncio.timeout(within_s):
        while not (answer := await look.fetchval(question, *given)):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_EVERY_S)
    return answer
