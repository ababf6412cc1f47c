"""Customers who remember: an open-loop load that keeps the id of every order it was promised.

Orders leave at random moments whether or not those before were answered. Each has a key; who hears
nothing, or only that the time ran out, asks once more under the same key, as a caller should.
"""

import asyncio
import json
import math
import random
import threading
import time
from collections import Counter, defaultdict
from typing import Self

from tests.support.http import BODY
from tests.support.waiting import eventually

#: Sold within this, an order counts as goodput.
PATIENCE_S = 0.3
#: Anyone who has no answer by then hangs up.
GIVE_UP_S = 15.0
ASK_AGAIN_S = 0.5
#: Idle connections end on our side: the server drops them after five seconds.
IDLE_S = 2.0
TICK_S = 0.002
#: Orders are counted by the quarter of a second in which they were meant to leave.
BIN_S = 0.25
#: Long enough for two or three of them.
WINDOW_S = 0.75
MOST_LINES = 3000


class Line(asyncio.Protocol):
    """One connection, an order at a time."""

    def __init__(self, crowd: "Crowd") -> None:
        self._crowd = crowd
        self._buffer = b""
        self.transport: asyncio.Transport | None = None
        self.key = ""
        self.due_s = self.free_since_s = 0.0
        self.repeats = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send(self, key: str, due_s: float, repeats: int) -> None:
        assert self.transport
        self.key, self.due_s, self.repeats = key, due_s, repeats
        self.transport.write(
            b"POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nIdempotency-Key: %b\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (key.encode(), len(BODY), BODY)
        )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().split(b"content-length:")[1].split()[0]):
            return
        self._buffer = b""
        self._crowd.hear(self, int(head[9:12]), body)

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.lose(self)

    def hang_up(self) -> None:
        if self.transport:
            self.transport.abort()


class Crowd:
    """`bins` tells what became of the orders that were meant to leave in each `BIN_S`."""

    def __init__(self, port: int, rate: float, seed: int = 0) -> None:
        self._port = port
        self._rate = rate
        self._chance = random.Random(seed)
        self._name = f"{self._chance.getrandbits(32):08x}"
        self._free: list[Line] = []
        self._busy: set[Line] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._count = 0
        # Ids of 201 answers, each a promise of an order of its own; and those told once more.
        self.acknowledged: list[str] = []
        self.replayed: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.unsent = 0
        self.bins: defaultdict[int, Counter[str]] = defaultdict(Counter)

    async def run(self, over: threading.Event) -> None:
        """Send until `over`, then wait for every answer."""
        due_s = time.monotonic()
        while not over.is_set():
            now = time.monotonic()
            while due_s <= now:
                self._count += 1
                self._bin(due_s)["offered"] += 1
                self._send(f"{self._name}-{self._count}", due_s, 0)
                due_s += self._chance.expovariate(self._rate)
            self._hang_up_old(now)
            await asyncio.sleep(TICK_S)
        while self._busy or self._opening:
            self._hang_up_old(time.monotonic())
            await asyncio.sleep(0.01)
        for line in self._free:
            line.hang_up()
        await asyncio.sleep(0)

    def share_sold(self, from_s: float, to_s: float) -> float:
        """Of what was offered in the whole bins of that time, how much was sold in time."""
        offered = self.count("offered", from_s, to_s)
        return self.count("sold", from_s, to_s) / offered if offered else 0.0

    def rate_sold(self, from_s: float, to_s: float) -> float:
        """Orders a second that were sold in time, of those offered in the bins of that time."""
        bins = math.floor(to_s / BIN_S) - math.ceil(from_s / BIN_S)
        return self.count("sold", from_s, to_s) / (bins * BIN_S)

    def count(self, fate: str, from_s: float, to_s: float) -> int:
        """How many orders of the whole bins of that time were offered, sold, late and so on."""
        numbers = range(math.ceil(from_s / BIN_S), math.floor(to_s / BIN_S))
        return sum(self.bins[number][fate] for number in numbers)

    def _bin(self, due_s: float) -> Counter[str]:
        return self.bins[math.floor(due_s / BIN_S)]

    def hear(self, line: Line, status: int, body: bytes) -> None:
        """An answer."""
        took_s = time.monotonic() - line.due_s
        self.statuses[status] += 1
        if status in (200, 201):
            (self.acknowledged if status == 201 else self.replayed).append(json.loads(body)["id"])
            fate = "sold" if took_s <= PATIENCE_S else "late"
        else:
            fate = "refused" if status in (429, 503) else "failed"
        self._settle(line, fate, unknown=status == 504)
        line.free_since_s = time.monotonic()
        self._free.append(line)

    def lose(self, line: Line) -> None:
        """The connection ended, with an answer due or none."""
        if line in self._busy:
            self.statuses[0] += 1
            self._settle(line, "failed", unknown=True)
        elif line in self._free:
            self._free.remove(line)

    def _send(self, key: str, due_s: float, repeats: int) -> None:
        if self._free:
            line = self._free.pop()
            self._busy.add(line)
            line.send(key, due_s, repeats)
        elif len(self._busy) + len(self._opening) < MOST_LINES:
            task = asyncio.create_task(self._open(key, due_s, repeats))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        else:
            self.unsent += 1

    async def _open(self, key: str, due_s: float, repeats: int) -> None:
        line = Line(self)
        try:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: line, "127.0.0.1", self._port)
        except OSError:
            self.statuses[0] += 1
            self._bin(due_s)["failed"] += 1
            return
        self._busy.add(line)
        line.send(key, due_s, repeats)

    def _settle(self, line: Line, fate: str, *, unknown: bool) -> None:
        self._busy.discard(line)
        if line.repeats == 0:
            self._bin(line.due_s)[fate] += 1
            if unknown:
                task = asyncio.create_task(self._ask_again(line.key))
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)

    async def _ask_again(self, key: str) -> None:
        await asyncio.sleep(ASK_AGAIN_S)
        self._send(key, time.monotonic(), 1)

    def _hang_up_old(self, now: float) -> None:
        while self._free and self._free[0].free_since_s < now - IDLE_S:
            self._free.pop(0).hang_up()
        for line in [line for line in self._busy if line.due_s < now - GIVE_UP_S]:
            line.hang_up()


class CrowdThread:
    """A crowd in a loop and a thread of its own, for the length of a block."""

    def __init__(self, port: int, rate: float, seed: int = 0) -> None:
        self.crowd = Crowd(port, rate, seed)
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="crowd")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> Crowd:
        """Send no more, and wait for the answers."""
        self._over.set()
        self._thread.join()
        if self._error:
            raise self._error
        return self.crowd

    def until_selling(self, within_s: float, share: float = 0.9) -> float:
        """Wait until that share of the offer is sold in time; tells how long it took."""
        began_s = time.monotonic()

        def sells() -> bool:
            # What was offered after this has time left to be sold.
            to_s = time.monotonic() - PATIENCE_S
            from_s = to_s - WINDOW_S
            return from_s >= began_s and self.crowd.share_sold(from_s, to_s) >= share

        eventually(sells, f"{share:.0%} of the offer is sold: {self.told()}", within_s=within_s)
        return time.monotonic() - began_s

    def until_under_way(self, orders: int = 20) -> None:
        """Wait until that many are sold."""
        eventually(lambda: self.crowd.statuses[201] >= orders, f"{orders} are sold: {self.told()}")

    def told(self) -> str:
        return ", ".join(f"{n} × {status}" for status, n in sorted(self.crowd.statuses.items()))

    def _run(self) -> None:
        try:
            asyncio.run(self.crowd.run(self._over))
        except BaseException as error:
            self._error = error
