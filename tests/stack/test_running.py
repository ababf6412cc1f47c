"""The stack's own configurations, run for real: two replicas, balancer, database, Prometheus."""

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from bpdemo.core.events import OUTCOMES
from tests.support.processes import free_port
from tests.support.prometheus import Prometheus
from tests.support.server import Command
from tests.support.waiting import eventually

STACK = Path(__file__).resolve().parents[2] / "stack"
DASHBOARD = json.loads((STACK / "grafana/dashboards/box-office.json").read_text("utf-8"))
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
WORKERS, RATE_PER_S, SECONDS = 4, 120, 8
KILL_AFTER_S = 3
#: Both replicas then sell 27 a second.
SLOW_PAYMENT_S = 0.3
TOKEN = "a-token-of-some-length"
BEARER = {"Authorization": f"Bearer {TOKEN}"}

pytestmark = [
    pytest.mark.load,
    pytest.mark.light,
    pytest.mark.prometheus,
    pytest.mark.slow,
    pytest.mark.haproxy,
]


@dataclass
class Stack:
    replicas: list[Command]
    ports: list[int]
    balancer: str
    prometheus: Prometheus

    def stats(self, replica: int) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.ports[replica]}/stats"
        found: dict[str, Any] = httpx.get(url, trust_env=False).json()
        return found

    def tune(self, **knobs: Any) -> None:
        """Turn these knobs of every replica."""
        for port in self.ports:
            url = f"http://127.0.0.1:{port}/settings"
            assert httpx.patch(url, json=knobs, headers=BEARER, trust_env=False).status_code == 200


@pytest.fixture
def stack(database_url: str, tmp_path: Path) -> Iterator[Stack]:
    with ExitStack() as running:
        environment = {
            "BPDEMO_STORE": "postgres",
            "BPDEMO_DATABASE_URL": database_url,
            "BPDEMO_ADMIN_TOKEN": TOKEN,
            "BPDEMO_WORKERS": str(WORKERS),
            "BPDEMO_QUEUE_CAPACITY": "8",
        }
        replicas = [
            running.enter_context(Command("serve", "--port", "0", **environment)) for _ in range(2)
        ]
        ports = [replica.port() for replica in replicas]
        balancer = Balancer(ports)
        running.callback(balancer.stop)
        eventually(balancer.is_up, "the balancer finds a replica that is ready", within_s=15)
        prometheus = _prometheus(tmp_path, ports)
        running.callback(prometheus.stop)
        eventually(lambda: prometheus.value("sum(up)") == 2, "both are scraped", within_s=30)
        yield Stack(replicas, ports, balancer.url, prometheus)


class Balancer:
    """HAProxy with the stack's own file; only the addresses are this test's."""

    def __init__(self, ports: list[int]) -> None:
        bind = f"127.0.0.1:{free_port()}"
        self.url = f"http://{bind}"
        self._process = subprocess.Popen(
            ["haproxy", "-db", "-f", str(STACK / "haproxy/haproxy.cfg")],
            env=os.environ
            | {"BALANCER_BIND": bind}
            | {f"WEB_{n}": f"127.0.0.1:{port}" for n, port in enumerate(ports, 1)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


def _prometheus(folder: Path, ports: list[int]) -> Prometheus:
    shutil.copytree(STACK / "prometheus", folder / "prometheus")
    targets = [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
    (folder / "prometheus" / "targets.json").write_text(json.dumps(targets), encoding="utf-8")
    return Prometheus(folder / "prometheus" / "prometheus.yml")


class Sale:
    """Orders by way of the balancer, each with a key, at random moments."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.statuses: Counter[int] = Counter()
        self.cut_off = 0
        self.acknowledged: list[str] = []

    async def run(self, rate_per_s: float, seconds: float) -> None:
        limits = httpx.Limits(max_connections=400, max_keepalive_connections=50)
        async with httpx.AsyncClient(
            base_url=self._url, limits=limits, timeout=30, trust_env=False
        ) as client:
            chance, end_s = random.Random(1), time.monotonic() + seconds
            async with asyncio.TaskGroup() as group:
                number = 0
                while time.monotonic() < end_s:
                    number += 1
                    group.create_task(self._order(client, number))
                    await asyncio.sleep(chance.expovariate(rate_per_s))

    async def _order(self, client: httpx.AsyncClient, number: int) -> None:
        try:
            answer = await self._post(client, number)
        except httpx.RemoteProtocolError:  # the replica died with it: bought or not, who knows
            self.cut_off += 1
            answer = await self._post(client, number)  # the same key, so at most once
        self.statuses[answer.status_code] += 1
        if answer.status_code in (200, 201):
            self.acknowledged.append(answer.json()["id"])
        await client.get(f"/items/{1 + number % 100}")

    async def _post(self, client: httpx.AsyncClient, number: int) -> httpx.Response:
        return await client.post(
            "/orders",
            json={"item_id": 1 + number % 100, "quantity": 1},
            headers={"Idempotency-Key": f"order {number}"},
        )


def test_every_question_of_the_dashboard_has_an_answer_that_agrees_with_the_books(
    stack: Stack,
) -> None:
    """After an overload of both: each query gives data, and the sums are those of /stats.

    The payment is slowed, so that a client on a slow machine, too, offers more than can be sold.
    """
    sale = Sale(stack.balancer)
    stack.tune(payment_latency_s=SLOW_PAYMENT_S)
    asyncio.run(sale.run(4 * 2 * WORKERS / SLOW_PAYMENT_S, 4))
    assert sale.statuses[201] > 0
    assert sale.statuses[503] > 0
    unanswered = {query for query in QUERIES if not stack.prometheus.query(query)}
    eventually(
        lambda: not {q for q in unanswered if not stack.prometheus.query(q)},
        f"answers to {unanswered}",
        within_s=15,
    )
    books = [stack.stats(replica)["books"] for replica in range(2)]
    assert all(book["admitted"] > 0 for book in books), "the balancer spared one"

    def agree() -> bool:
        return all(
            stack.prometheus.value(query) == sum(book[name] for book in books for name in names)
            for query, names in {
                "sum(bpdemo_jobs_total)": OUTCOMES,
                "sum(bpdemo_admitted_total)": ("admitted",),
                "sum(bpdemo_rejected_total)": ("rejected",),
            }.items()
        )

    eventually(agree, f"sums over both are those of {books}", within_s=10)


def test_a_replica_killed_under_load_loses_no_acknowledged_order(
    stack: Stack, database_url: str
) -> None:
    """SIGKILL in the middle of a sale: what was acknowledged is stored, once, and sales go on."""
    sale = Sale(stack.balancer)
    killer = _killed_after(stack.replicas[0], KILL_AFTER_S)
    asyncio.run(_both(sale.run(RATE_PER_S, SECONDS), killer))
    stored = asyncio.run(_stored(database_url))
    assert len(sale.acknowledged) == len(set(sale.acknowledged))
    assert set(sale.acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))
    in_hand = 2 * (WORKERS + 8)  # of the killed one, with those that came before it was missed
    assert sale.cut_off + sale.statuses[502] + sale.statuses[504] <= in_hand, sale.statuses
    assert set(sale.statuses) <= {200, 201, 502, 503, 504}, sale.statuses
    survivor = stack.stats(1)
    assert survivor["books"]["success"] > RATE_PER_S, "the other one did not take over"
    assert survivor["books"]["queued"] == survivor["books"]["running"] == 0


def test_settings_are_closed_from_outside_without_the_token(stack: Stack) -> None:
    """By way of the balancer a peer is never loopback to be trusted; with the token it may."""
    url, knob = f"{stack.balancer}/settings", {"queue_capacity": 9}
    assert httpx.patch(url, json=knob, trust_env=False).status_code == 403
    assert httpx.patch(url, json=knob, headers=BEARER, trust_env=False).status_code == 200


def test_a_replica_that_drains_gets_no_more_orders(stack: Stack) -> None:
    """SIGTERM, as at every deploy: it ends with 0, and no customer hears of it but by a 503."""
    sale = Sale(stack.balancer)

    async def deploy() -> None:
        await asyncio.sleep(1)
        stack.replicas[0].signal(signal.SIGTERM)

    asyncio.run(_both(sale.run(40, 4), deploy()))
    assert stack.replicas[0].wait(15) == 0
    assert set(sale.statuses) <= {201, 503}, sale.statuses
    assert sale.statuses[503] <= 40, "the balancer went on sending"


async def _both(*coroutines: Any) -> None:
    await asyncio.gather(*coroutines)


async def _killed_after(replica: Command, seconds: float) -> None:
    await asyncio.sleep(seconds)
    replica.signal(signal.SIGKILL)


async def _stored(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row["id"] for row in await connection.fetch("SELECT id FROM orders")]
    finally:
        await connection.close()
