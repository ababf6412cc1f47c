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
from uuid import uuid4

import asyncpg
import httpx
import pytest

from bpdemo.core.events import OUTCOMES
from bpdemo.downstream.embedded import EmbeddedPostgres
from tests.support.postgres import schema_of_its_own
from tests.support.processes import free_port
from tests.support.prometheus import Prometheus
from tests.support.server import Command
from tests.support.waiting import eventually

STACK = Path(__file__).resolve().parents[2] / "stack"
DASHBOARD = json.loads((STACK / "grafana/dashboards/box-office.json").read_text("utf-8"))
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
WORKERS, RATE_PER_S, SECONDS = 4, 120, 5
KILL_AFTER_S = 2
#: Both replicas then sell 27 a second.
SLOW_PAYMENT_S = 0.3
PLACES, PAYMENT_S = 8, 0.04
AS_STARTED = {"queue_capacity": PLACES, "payment_latency_s": PAYMENT_S}
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
    database_url: str

    def stats(self, replica: int) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.ports[replica]}/stats"
        found: dict[str, Any] = httpx.get(url, trust_env=False).json()
        return found

    def tune(self, **knobs: Any) -> None:
        """Turn these knobs of every replica."""
        for port in self.ports:
            url = f"http://127.0.0.1:{port}/settings"
            assert httpx.patch(url, json=knobs, headers=BEARER, trust_env=False).status_code == 200

    def buy_from_all(self) -> None:
        """Wait until orders that are sent to the balancer arrive at every replica."""
        before = self._received()

        def is_shared() -> bool:
            order = {"item_id": 1, "quantity": 1}
            httpx.post(f"{self.balancer}/orders", json=order, trust_env=False)
            return all(now > then for now, then in zip(self._received(), before, strict=True))

        eventually(is_shared, "every replica gets orders", within_s=15)

    def _received(self) -> list[int]:
        return [self.stats(replica)["books"]["received"] for replica in range(len(self.ports))]


@pytest.fixture(scope="module")
def schema_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The address of an empty schema, for all tests of this module."""
    with schema_of_its_own(postgres_server) as url:
        yield url


@pytest.fixture(scope="module")
def machinery(
    schema_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Stack, ExitStack]]:
    """The stack, started once."""
    with ExitStack() as running:
        replicas = [running.enter_context(_replica(schema_url)) for _ in range(2)]
        ports = [replica.port() for replica in replicas]
        balancer = Balancer(ports)
        running.callback(balancer.stop)
        eventually(balancer.is_up, "the balancer finds a replica that is ready", within_s=15)
        prometheus = _prometheus(tmp_path_factory.mktemp("prometheus"), ports)
        running.callback(prometheus.stop)
        yield Stack(replicas, ports, balancer.url, prometheus, schema_url), running


@pytest.fixture
def stack(machinery: tuple[Stack, ExitStack]) -> Stack:
    """Both replicas serve, one that has ended is replaced, and all knobs are as at the start."""
    stack, running = machinery
    for place, replica in enumerate(stack.replicas):
        if replica.process.poll() is not None:
            anew = running.enter_context(_replica(stack.database_url, stack.ports[place]))
            assert anew.port() == stack.ports[place]
            stack.replicas[place] = anew
    stack.tune(**AS_STARTED)
    eventually(lambda: stack.prometheus.value("sum(up)") == 2, "both are scraped", within_s=30)
    stack.buy_from_all()
    return stack


def _replica(url: str, port: int = 0) -> Command:
    environment = {
        "BPDEMO_STORE": "postgres",
        "BPDEMO_DATABASE_URL": url,
        "BPDEMO_ADMIN_TOKEN": TOKEN,
        "BPDEMO_WORKERS": str(WORKERS),
        "BPDEMO_QUEUE_CAPACITY": str(PLACES),
        "BPDEMO_PAYMENT_LATENCY_S": str(PAYMENT_S),
    }
    return Command("serve", "--port", str(port), **environment)


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
        self._name = uuid4().hex  # its keys are no other sale's
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
        await self._look(client, f"/items/{1 + number % 100}")

    async def _look(self, client: httpx.AsyncClient, path: str) -> None:
        try:
            await client.get(path)
        except httpx.RemoteProtocolError:  # a replica may die under those who only look, too
            await client.get(path)

    async def _post(self, client: httpx.AsyncClient, number: int) -> httpx.Response:
        return await client.post(
            "/orders",
            json={"item_id": 1 + number % 100, "quantity": 1},
            headers={"Idempotency-Key": f"{self._name} {number}"},
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


def test_a_replica_killed_under_load_loses_no_acknowledged_order(stack: Stack) -> None:
    """SIGKILL in the middle of a sale: what was acknowledged is stored, once, and sales go on."""
    sale, before = Sale(stack.balancer), stack.stats(1)["books"]["success"]
    killer = _killed_after(stack.replicas[0], KILL_AFTER_S)
    asyncio.run(_both(sale.run(RATE_PER_S, SECONDS), killer))
    stored = asyncio.run(_stored(stack.database_url))
    assert len(sale.acknowledged) == len(set(sale.acknowledged))
    assert set(sale.acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))
    in_hand = 2 * (WORKERS + PLACES)  # of the killed one, with those that came before it was missed
    assert sale.cut_off + sale.statuses[502] + sale.statuses[504] <= in_hand, sale.statuses
    assert set(sale.statuses) <= {200, 201, 502, 503, 504}, sale.statuses
    survivor = stack.stats(1)
    assert survivor["books"]["success"] - before > RATE_PER_S, "the other one did not take over"
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
