"""Runs a crowd that is spread over machines: a Locust master here, workers anywhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from bpdemo.core.counted import counted
from bpdemo.load.addresses import Address
from bpdemo.load.destination import destination_of
from bpdemo.load.driver import Driver, OnProgress
from bpdemo.plan.plan import Plan

News = Callable[[str], object]


class FarDriver(Driver):
    """A load under way, sent by `workers` that join at `listen`. Thread-safe.

    One child, the master (load_master.py), passes on what the workers tell. A worker that is lost
    in mid-load ends it for all: what was sent by then stays, and is not valid. ValueError, from
    whatever waits, if the load could not begin.
    """

    # A word to another machine takes longer than one through a pipe.
    head_start_s = 0.5
    # The master tells the workers to quit, and gives that half a second to go out.
    grace_s = 3.0

    def __init__(
        self,
        url: str,
        plan: Plan,
        listen: Address,
        workers: int,
        join_within_s: float = 60.0,
        news: News = str,
        on_progress: OnProgress | None = None,
        *,
        i_run_this_service: bool = False,
    ) -> None:
        self._user = None
        to = destination_of(url, i_run_this_service)
        if plan.is_closed and plan.rate_per_s < workers:
            users, among = counted(plan.rate_per_s, "user"), counted(workers, "worker")
            raise ValueError(f"rate: {users} cannot be shared among {among}")
        self._prepare(to, plan, workers, on_progress)
        self._listen = listen
        self._news = news
        self._chunks: dict[int, dict[str, Any]] = {}
        self._start([(master_command(to.url, listen, workers, join_within_s), plan)])

    def wait_until_begun(self) -> None:
        """Until all workers are there and the start is set. ValueError if it did not come to it."""
        while not self.gathered.started_at_s:
            if self.wait(0.1):
                return

    # -- in the reader thread -----------------------------------------------------------

    def _heed(self, sender: int, message: dict[str, Any]) -> None:
        kind = message["kind"]
        if kind == "listening":
            self._tell_how_to_join(message["port"])
        elif kind == "joined":
            hosts = ", ".join(message["hosts"]) or "nobody"
            workers = counted(message["workers"], "worker")
            are = "is" if message["workers"] == 1 else "are"
            self._news(f"{message['count']} of {workers} {are} there: {hosts}")
        elif kind == "refused":
            self._fail(ValueError(f"expect: {message['why']}"))
        elif kind == "lost":
            self._lose(sender, message)
        elif kind == "clocks":
            self.gathered.clocks_apart_s = message["apart_s"]
        else:
            if kind == "chunk":
                self._chunks[sender] = message
            super()._heed(sender, message)

    def _tell_how_to_join(self, port: int) -> None:
        host = "THIS-MACHINE" if self._listen.host in ("0.0.0.0", "::") else self._listen.host
        where = Address(host, port)
        self._news(
            f"waiting for {counted(self._senders, 'worker')} on {self._listen.host}; "
            f"on each machine: bpdemo load-worker --join {where}"
        )

    def _lose(self, sender: int, message: dict[str, Any]) -> None:
        chunk = self._chunks.get(sender)
        who = f"worker {sender + 1} of {self._senders}, on {message['host']}, {message['why']}"
        with self._lock:
            at_s = self._latest.get(sender, (0, 0))[0] * 1e-4
            self.gathered.lose(f"{who} (last heard of at {at_s:.1f} s)", chunk)
            self._ended.add(sender)
            if len(self._ended) == self._senders:
                self._done.set()

    def _is_missed(self, index: int) -> bool:
        return len(self._ended) < self._senders


def master_command(url: str, listen: Address, workers: int, join_within_s: float) -> list[str]:
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    return [
        *(
            sys.executable,
            "-m",
            "bpdemo.load.generator.master",
            host,
            str(listen.port),
            str(workers),
        ),
        *(f"{join_within_s:g}", url.rstrip("/")),
    ]
