"""The child's line to its owner, and the tally of orders that goes over it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, NoReturn, Protocol

TICK_S: Final = 1e-4


def ticks(seconds: float) -> int:
    """Seconds as whole ticks: integers are half the size and the time of floats in JSON."""
    return round(seconds / TICK_S)


def exit_at_once() -> NoReturn:
    """There and then, even if the event loop is stuck."""
    os._exit(3)


class ToOwner(Protocol):
    """Anyone who sends the crowd off and hears of it: a pipe to the owner, or Locust's master."""

    @property
    def is_stopped(self) -> bool: ...

    @property
    def pace(self) -> float: ...

    def stopped_after_s(self, start_s: float) -> float: ...

    def wait_for_go(self) -> float: ...

    def say(self, message: dict[str, Any]) -> None: ...


class Stoppable:
    """Remembers when it was told to stop."""

    _stopped_at_s: float | None = None
    pace: float = 1.0
    """How many times as fast as planned the orders are to come from now on."""

    @property
    def is_stopped(self) -> bool:
        return self._stopped_at_s is not None

    def stopped_after_s(self, start_s: float) -> float:
        """When it was told to stop, in seconds after `start_s`; infinite if it was not."""
        return float("inf") if self._stopped_at_s is None else self._stopped_at_s - start_s

    def _note_stop(self) -> None:
        self._stopped_at_s = time.monotonic()


class OwnerPipe(Stoppable):
    """Commands in by stdin, JSON lines out by stdout, each of them whole.

    A native thread reads stdin, since a pipe cannot be polled on every system. When the
    owner is gone it calls `at_end`. Under gevent a native thread, a sleep, a call outside the
    event loop and a native lock have to be handed in.
    """

    def __init__(
        self,
        start_thread: Callable[..., object],
        sleep: Callable[[float], object],
        call_outside: Callable[..., object],
        lock: AbstractContextManager[Any],
        at_end: Callable[[], object] = exit_at_once,
    ) -> None:
        self._sleep = sleep
        self._call_outside = call_outside
        self._lock = lock
        self._at_end = at_end
        self._go_at: float | None = None
        start_thread(self._listen, ())

    def _listen(self) -> None:
        # os.read, not sys.stdin: a reader blocked in its lock aborts the interpreter's end.
        rest = b""
        while data := os.read(0, 4096):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._obey(line.decode().split())
        self._at_end()

    def _obey(self, words: list[str]) -> None:
        if words[:1] == ["go"]:
            self._go_at = float(words[1]) if len(words) > 1 else time.time()
        elif words[:1] == ["stop"]:
            self._note_stop()
        elif words[:1] == ["pace"]:
            self.pace = float(words[1])

    def wait_for_go(self) -> float:
        """The moment to start at, on this process's monotonic clock."""
        while self._go_at is None:
            self._sleep(0.005)
        return time.monotonic() + max(0.0, self._go_at - time.time())

    def say(self, message: dict[str, Any]) -> None:
        text = json.dumps(message, separators=(",", ":")) + "\n"
        # An owner that reads slowly must not hold up the orders.
        self._call_outside(self._write_all, (sys.stdout.fileno(), text.encode()))

    def _write_all(self, fd: int, data: bytes) -> None:
        # A pipe takes what has room: without the lock a second line would get into the first.
        with self._lock:
            while data:
                data = data[os.write(fd, data) :]


class Tally:
    """Finished orders, and looks at items, since the last chunk, as columns."""

    COLUMNS: Final = (
        *("t", "latency", "lag", "fate", "status", "reason"),
        *("attempts", "client", "priority"),
    )

    def __init__(self) -> None:
        self.attempts: list[int] = []
        self._rows: list[tuple[Any, ...]] = []
        self._looks: dict[str, list[int]] = {}

    def add(
        self, intended_s: float, latency_s: float, lag_s: float, fate: int, status: int, *rest: Any
    ) -> None:
        """Book an order; `rest` is reason, attempts, client, priority."""
        self._rows.append((ticks(intended_s), ticks(latency_s), ticks(lag_s), fate, status, *rest))

    def take(self) -> dict[str, list[Any]]:
        """The columns since the last call; labels as indices into a table of their own."""
        rows, self._rows = self._rows, []
        sent, self.attempts = self.attempts, []
        columns: dict[str, list[Any]] = {
            name: [row[place] for row in rows] for place, name in enumerate(self.COLUMNS)
        }
        for name in ("reason", "client", "priority"):
            table = sorted(set(columns[name]))
            place_of = {label: place for place, label in enumerate(table)}
            columns[name] = [place_of[label] for label in columns[name]]
            columns[f"{name}_table"] = table
        return columns | {"sent": sent}

    def look(self, came_from: str, latency_s: float) -> None:
        self._looks.setdefault(came_from, []).append(ticks(latency_s))

    def take_looks(self) -> dict[str, list[int]]:
        """Latencies of the GET requests since the last call, by X-Cache (or status)."""
        looks, self._looks = self._looks, {}
        return looks
