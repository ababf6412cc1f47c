"""A service on trial: running, under a modest load, and judged at the end."""

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import psutil

from tests.faults.aftermath import Footprint, assert_nothing_lost, stored_in
from tests.faults.crowd import CrowdThread
from tests.support.server import Command, Reply, ServerThread, Wire
from tests.support.waiting import eventually

#: About 180 orders a second; a breaker that opens soon, and not for long.
KNOBS = {
    "workers": 4,
    "queue_capacity": 8,
    "payment_latency_s": 0.02,
    "attempt_timeout_s": 0.3,
    "request_timeout_s": 1.0,
    "breaker_min_calls": 10,
    "breaker_window_s": 1.0,
    "breaker_open_s": 0.5,
    "drain_timeout_s": 1.0,
}
RATE_PER_S = 80.0
#: When goodput is back, at the latest: the circuit half-opens and its probes succeed, the debts of
#: the fault are settled beside the load, and a whole second of the clock has sold its offer.
RECOVERED_S = KNOBS["breaker_open_s"] * 2 + 6.0


class InThread(ServerThread):
    """A server in this process: its store, its tasks and its parts are at hand."""

    before: Footprint
    more_fds = 0

    def start(self) -> None:
        super().start()
        self.assembly = self.server.config.app.state.assembly  # type: ignore[union-attr]
        self.before = self.footprint()
        # A pool grows up to its limit, and keeps what it has.
        self.more_fds = self.assembly.settings.pool_max if self.assembly.database_url else 0

    def stored_ids(self) -> Sequence[str]:
        if url := self.assembly.database_url:
            return stored_in(url)
        return [order.id for order in self.orders]

    def footprint(self) -> Footprint:
        process = psutil.Process()
        tasks = len(asyncio.all_tasks(self.loop))
        return Footprint(
            process.num_fds(), threading.active_count(), tasks, len(process.children())
        )

    def pid(self) -> int:
        return os.getpid()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        assert self.server._loop
        return self.server._loop

    def tune(self, **knobs: Any) -> None:
        assert self.ask("PATCH", "/settings", json.dumps(knobs).encode()).status == 200


class AsProcess:
    """The command in a process of its own; its orders are in a database that we can read, too."""

    more_fds = 0

    def __init__(self, command: Command, database_url: str) -> None:
        self.command = command
        self.port = command.port()
        self._database_url = database_url
        self.more_fds = 8  # as many as its pool may grow by
        self.before = self.footprint()

    @property
    def stats(self) -> dict[str, Any]:
        stats: dict[str, Any] = self.ask("GET", "/stats").json()
        return stats

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        with Wire(self.port) as wire:
            return wire.ask(method, path, body, **headers)

    def stored_ids(self) -> Sequence[str]:
        return stored_in(self._database_url)

    def footprint(self) -> Footprint:
        process = psutil.Process(self.pid())
        return Footprint(process.num_fds(), process.num_threads(), 0, len(process.children()))

    def pid(self) -> int:
        return self.command.process.pid


@contextlib.contextmanager
def on_trial(rate: float = RATE_PER_S, **knobs: Any) -> Iterator[tuple[InThread, CrowdThread]]:
    """A server in this process and the load at it; what must hold afterwards is asserted.

    The crowd buys when the block begins, and must get all it wants again at its end.
    """
    server = InThread(**(KNOBS | {"store_latency_s": 0.0} | knobs))
    server.start()
    try:
        with CrowdThread(server.port, rate) as crowd:
            crowd.until_under_way()
            yield server, crowd
            crowd.until_selling(RECOVERED_S)
            # During some faults hardly anybody buys, and half a second of goodput ends the wait.
            eventually(lambda: len(crowd.crowd.acknowledged) > rate, "it goes on selling")
        assert_nothing_lost(server, crowd.crowd.acknowledged)
    finally:
        server.stop()
        server.hang_up()


@contextlib.contextmanager
def process_on_trial(
    database_url: str, *knobs: str, rate: float = RATE_PER_S, **command: Any
) -> Iterator[tuple[AsProcess, CrowdThread]]:
    """The same for `bpdemo serve`, on a database."""
    values = KNOBS | {"store": "postgres", "database_url": database_url}
    sets = [f"{name}={value}" for name, value in values.items()] + list(knobs)
    arguments = [word for knob in sets for word in ("--set", knob)]
    with Command("serve", "--port", "0", *arguments, **command) as running:
        server = AsProcess(running, database_url)
        with CrowdThread(server.port, rate) as crowd:
            crowd.until_under_way()
            yield server, crowd
            crowd.until_selling(RECOVERED_S)
        assert_nothing_lost(server, crowd.crowd.acknowledged)
        running.signal()
        assert running.wait() == 0
    eventually(lambda: not psutil.pid_exists(running.process.pid), "the process is gone")
