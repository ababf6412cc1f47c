"""A load generator of next to no cost, in a process of its own.

    python -m benchmarks.flood PORT '{"rate_per_s": 100, "seconds": 3, …}'

Open loop: Poisson arrivals with a seed, each answer's time taken from the moment its order was
meant to be sent. By default every order comes on a connection of its own, as from a customer's own
browser; `connections` opens that many beforehand and uses them in turn, with another for each that
was hung up or closed. A caller hangs up when its patience ends. Prints one JSON line. All times are
those of the machine's monotonic clock, so that those who gave `starts_at_s` know when each order
was due.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import time
from collections import deque
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

BODY = b'{"item_id":1,"quantity":1}'
HEAD = (
    b"POST /orders HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n" % len(BODY)
)
ONCE = HEAD + b"connection: close\r\n\r\n" + BODY
AGAIN = HEAD + b"\r\n" + BODY
LAST = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
#: How late a batch of arrivals may be sent; finer timers would cost more than the requests.
TICK_S = 0.002


@dataclass(frozen=True)
class Load:
    """What to send. Only what is answered between `warm_s` and `seconds` is told of."""

    rate_per_s: float
    seconds: float
    client_timeout_s: float = 0.5
    warm_s: float = 0.5
    seed: int = 1
    connections: int = 0
    starts_at_s: float = 0.0
    """When to begin; 0 means at once."""
    tells_each: bool = False
    """Whether each order is told of: when it was due, when it was over, and how."""


@dataclass
class Came:
    """What came of it."""

    counts: dict[str, int] = field(default_factory=dict)
    sold_s: list[float] = field(default_factory=list)
    lag_s: list[float] = field(default_factory=list)
    orders: list[tuple[float, float, str]] = field(default_factory=list)
    unsent: int = 0
    broken: int = 0


def due_times_s(load: Load) -> Iterator[float]:
    """When each order is due, from the start on and without an end: the same for each server."""
    chance, due_s = random.Random(load.seed), 0.0
    while True:
        due_s += chance.expovariate(load.rate_per_s)
        yield due_s


def drawn_per_s(load: Load) -> float:
    """The rate at which they are due while it counts: what was drawn, not what was meant."""
    due = takewhile(lambda due_s: due_s < load.seconds, due_times_s(load))
    return sum(due_s >= load.warm_s for due_s in due) / (load.seconds - load.warm_s)


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, flood: Flood, due_s: float | None) -> None:
        self._flood = flood
        self._due_s = due_s
        self._keeps = due_s is None
        self._was_used = False
        self._buffer = b""
        self._patience: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._due_s is not None:
            self.send(self._due_s)

    def send(self, due_s: float) -> None:
        assert self._transport is not None
        self._due_s, self._was_used = due_s, True
        left_s = due_s + self._flood.load.client_timeout_s - time.monotonic()
        self._patience = self._flood.loop.call_later(left_s, self._give_up)
        self._transport.write(AGAIN if self._keeps else ONCE)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        status = answer_of(self._buffer)
        if not status or self._due_s is None or self._transport is None:
            return
        self._flood.note(status, self._due_s)
        closes = b"connection: close" in self._buffer
        self._end()
        if self._keeps and not closes:
            self._flood.free.append(self)
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._due_s is not None:
            self._flood.note("broken", self._due_s)
            self._end()
        if self._keeps:
            self._flood.lose(self, was_used=self._was_used)

    def _give_up(self) -> None:
        if self._due_s is not None:
            self._flood.note("left", self._due_s)
            self._end()
        if self._transport is not None:
            self._transport.abort()

    def _end(self) -> None:
        self._due_s, self._buffer = None, b""
        if self._patience is not None:
            self._patience.cancel()


class Flood:
    def __init__(self, port: int, load: Load) -> None:
        self.port = port
        self.load = load
        self.loop = asyncio.get_running_loop()
        self.free: deque[Line] = deque()
        self.came = Came()
        self._tasks: set[asyncio.Task[object]] = set()
        self._start_s = 0.0

    def note(self, status: str, due_s: float) -> None:
        """An order is over, now."""
        now = time.monotonic()
        if not self.load.warm_s <= now - self._start_s <= self.load.seconds:
            return
        self.came.counts[status] = self.came.counts.get(status, 0) + 1
        if self.load.tells_each:
            self.came.orders.append((due_s - self._start_s, now - self._start_s, status))
        if status == "201":
            self.came.sold_s.append(now - due_s)

    def lose(self, line: Line, *, was_used: bool) -> None:
        """A kept connection is gone, by either side. Its caller opens another; one that had not
        asked anything yet would be closed again."""
        if line in self.free:
            self.free.remove(line)
        if was_used:
            self._begin(self._reopen())

    async def _reopen(self) -> None:
        with suppress(OSError):  # then there is one less
            await self._open()

    async def _open(self) -> None:
        _, line = await self.loop.create_connection(
            lambda: Line(self, None), "127.0.0.1", self.port
        )
        self.free.append(line)

    async def _until_all_are_in(self) -> None:
        """The system lets newcomers in long before the server has heard of them, in the order in
        which they come: once the last of them is answered, the server has all."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        with suppress(OSError):  # it may hang up at once
            writer.write(LAST)
            writer.write_eof()
            await reader.read()
        writer.close()

    def _begin(self, what: Coroutine[Any, Any, None]) -> None:
        task: asyncio.Task[object] = self.loop.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def run(self) -> Came:
        load, due_times = self.load, due_times_s(self.load)
        for _ in range(load.connections):
            await self._open()
        if load.connections:
            await self._until_all_are_in()
        await asyncio.sleep(load.starts_at_s - time.monotonic())
        self._start_s = load.starts_at_s or time.monotonic()
        due_s = self._start_s + next(due_times)
        end_s = self._start_s + load.seconds
        while due_s < end_s:
            while due_s <= min(time.monotonic(), end_s):
                self._send(due_s)
                due_s = self._start_s + next(due_times)
            await asyncio.sleep(TICK_S)
        return self.came

    def _send(self, due_s: float) -> None:
        self.came.lag_s.append(time.monotonic() - due_s)
        if not self.load.connections:
            self._begin(self._connect(due_s))
        elif self.free:
            self.free.popleft().send(due_s)
        else:
            self.came.unsent += 1

    async def _connect(self, due_s: float) -> None:
        try:
            async with asyncio.timeout_at(due_s + self.load.client_timeout_s):
                await self.loop.create_connection(lambda: Line(self, due_s), "127.0.0.1", self.port)
        except TimeoutError:
            self.note("left", due_s)
        except OSError:
            self.note("broken", due_s)


def answer_of(buffer: bytes) -> str:
    """The status of an answer that is there in whole; empty while it is not."""
    head, found, body = buffer.partition(b"\r\n\r\n")
    if not found:
        return ""
    _, announced, rest = head.lower().partition(b"content-length:")
    length = int(rest.partition(b"\r\n")[0]) if announced else 0
    return head[9:12].decode() if len(body) >= length else ""


async def _flood(port: int, load: Load) -> Came:
    return await Flood(port, load).run()


def main(port: str, plan: str) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    came = asyncio.run(_flood(int(port), Load(**json.loads(plan))))
    lag_s = sorted(came.lag_s) or [0.0]
    print(
        json.dumps(
            {
                "counts": came.counts,
                "orders": came.orders,
                "sold_s": sorted(came.sold_s),
                "sent": len(lag_s),
                "unsent": came.unsent,
                "lag_p99_s": lag_s[int(0.99 * len(lag_s))],
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
