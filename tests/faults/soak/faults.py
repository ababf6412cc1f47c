"""What each kind of storm does to a service while it lasts; in the end everything is as before."""

import asyncio
import contextlib
import os
import signal
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import asyncpg
import httpx
import psutil

from bpdemo.core.choices import DISCIPLINES
from tests.faults.soak.storms import Storm
from tests.support.http import BODY

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bpdemo'"
ORDER = b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
ENDLESS = b"POST /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#: How long a killed server may take to be back.
BACK_S = 20.0


class Target:
    """The service, as far as one can do something to it from outside."""

    def __init__(self, url: str, database_url: str, pid: int, knobs: dict[str, Any]) -> None:
        self.port = int(url.rpartition(":")[2])
        self.database_url = database_url
        self.process = psutil.Process(pid)
        self.knobs = knobs
        self.client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=30)

    async def tune(self, **knobs: Any) -> None:
        (await self.client.patch("/settings", json=knobs)).raise_for_status()

    async def stats(self) -> dict[str, Any]:
        stats: dict[str, Any] = (await self.client.get("/stats")).json()
        return stats

    def postmaster(self) -> psutil.Process | None:
        """The first process of its PostgreSQL."""
        for process in self.process.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                parent = process.parent()
                if process.name() == "postgres" and parent and parent.name() != "postgres":
                    return process
        return None

    async def cut_backends(self) -> None:
        connection = await asyncpg.connect(self.database_url)
        try:
            await connection.execute(CUT)
        finally:
            await connection.close()

    async def dial(self, count: int) -> list[socket.socket]:
        loop, callers = asyncio.get_running_loop(), []
        for _ in range(count):
            caller = socket.socket()
            caller.setblocking(False)
            callers.append(caller)
            await loop.sock_connect(caller, ("127.0.0.1", self.port))
        return callers


Fault = Callable[[Target, Storm], Awaitable[None]]


def turned(draw: Callable[[Random], dict[str, Any]], every_s: float = 100.0) -> Fault:
    """Knobs as drawn, again `every_s`, and in the end as they were."""

    async def run(target: Target, storm: Storm) -> None:
        over_s = time.monotonic() + storm.fault_s
        touched: set[str] = set()
        while (left_s := over_s - time.monotonic()) > 0:
            knobs = draw(storm.chance)
            touched |= knobs.keys()
            await target.tune(**knobs)
            await asyncio.sleep(min(every_s, left_s))
        await target.tune(**{name: target.knobs[name] for name in touched})

    return run


def any_knobs(chance: Random) -> dict[str, Any]:
    return {
        "workers": chance.randint(1, 16),
        "queue_capacity": chance.choice([0, 2, 8, 64]),
        "queue_policy": chance.choice(["reject", "block"]),
        "queue_discipline": chance.choice(DISCIPLINES),
        "request_timeout_s": chance.choice([0.1, 0.5, 2.0]),
        "max_in_flight": chance.choice([0, 20]),
    }


async def backends_cut(target: Target, storm: Storm) -> None:
    over_s = time.monotonic() + storm.fault_s
    while time.monotonic() < over_s:
        await target.cut_backends()
        await asyncio.sleep(storm.chance.uniform(0.1, 0.8))


async def postgres_killed(target: Target, storm: Storm) -> None:
    killed = target.postmaster()
    assert killed, "its PostgreSQL runs"
    os.kill(killed.pid, signal.SIGKILL)
    async with asyncio.timeout(BACK_S):
        while True:
            await asyncio.sleep(0.1)
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                await (await asyncpg.connect(target.database_url)).close()
                return


async def callers_hang_up(target: Target, storm: Storm) -> None:
    over_s = time.monotonic() + storm.fault_s
    while time.monotonic() < over_s:
        for caller in await target.dial(20):
            with contextlib.suppress(OSError):
                caller.send(ORDER[: storm.chance.randint(0, len(ORDER))])
            if storm.chance.random() < 0.5:  # by a reset
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await asyncio.sleep(storm.chance.choice([0, 0.01]))
            caller.close()


async def idle_connections(target: Target, storm: Storm) -> None:
    callers = await target.dial(storm.chance.randint(300, 800))
    await asyncio.sleep(storm.fault_s)
    for caller in callers:
        caller.close()


async def endless_bodies(target: Target, storm: Storm) -> None:
    callers = await target.dial(50)
    over_s = time.monotonic() + storm.fault_s
    for caller in callers:
        caller.send(ENDLESS)
    while time.monotonic() < over_s:
        for caller in callers:
            with contextlib.suppress(OSError):
                caller.send(b"100\r\n" + b" " * 256 + b"\r\n")
        await asyncio.sleep(0.1)
    for caller in callers:
        caller.close()


FAULTS: dict[str, Fault] = {
    "payment fails": turned(lambda chance: {"payment_failure_rate": chance.uniform(0.2, 1)}),
    "payment slow": turned(lambda chance: {"payment_latency_s": chance.uniform(0.1, 0.45)}),
    "payment endless": turned(lambda _: {"payment_latency_s": 3600.0}),
    "payment down": turned(lambda _: {"payment_outage": True}),
    "payment flaps": turned(lambda chance: {"payment_outage": chance.random() < 0.5}, every_s=0.3),
    "store down": turned(lambda _: {"store_outage": True}),
    "store fails": turned(lambda chance: {"store_failure_rate": chance.uniform(0.1, 0.8)}),
    "knobs turned": turned(any_knobs, every_s=0.7),
    "backends cut": backends_cut,
    "postgres killed": postgres_killed,
    "callers hang up": callers_hang_up,
    "idle connections": idle_connections,
    "endless bodies": endless_bodies,
}
