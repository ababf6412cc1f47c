"""A load generator of next to no cost, for rates at which Locust needs a core and more.

    python tests/acceptance/flood.py PORT RATE SECONDS SEED

Open loop: Poisson arrivals, each order on a free connection, its time taken from the moment it was
meant to be sent. Prints one JSON line with what came of them.
"""

import asyncio
import json
import random
import sys
import time
from typing import Any

BODY = b'{"item_id":1,"quantity":1}'
REQUEST = (
    b"POST /orders HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(BODY), BODY)
)
#: How late a batch of arrivals may be sent; finer timers would cost more than the requests.
TICK_S = 0.002
#: Answers are waited for no longer than that.
SETTLE_S = 2.0
CONNECTIONS = 1024


class Line(asyncio.Protocol):
    """One connection: an order at a time."""

    def __init__(self, flood: "Flood") -> None:
        self.flood = flood
        self.due_s = 0.0
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.flood.free.append(self)

    def send(self, due_s: float) -> None:
        self.due_s = due_s
        self.transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self.buffer = b""
        has_advice = b"retry-after:" in head and b'"reason"' in body
        self.flood.note(int(head[9:12]), time.monotonic() - self.due_s, has_advice)
        self.flood.free.append(self)


class Flood:
    def __init__(self) -> None:
        self.free: list[Line] = []
        self.counts: dict[int, int] = {}
        self.sold_s: list[float] = []
        self.without_advice = 0
        self.answered_s: list[float] = []  # when each that was sold was answered, from the start
        self.start_s = 0.0
        self.lag_s: list[float] = []
        self.unsent = 0

    def note(self, status: int, took_s: float, has_advice: bool) -> None:
        self.counts[status] = self.counts.get(status, 0) + 1
        if status == 201:
            self.sold_s.append(took_s)
            self.answered_s.append(time.monotonic() - self.start_s)
        elif not has_advice:
            self.without_advice += 1

    async def run(self, port: int, rate: float, seconds: float, seed: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(CONNECTIONS):
            await loop.create_connection(lambda: Line(self), "127.0.0.1", port)
        chance, start_s = random.Random(seed), time.monotonic()
        self.start_s = start_s
        due_s = start_s + chance.expovariate(rate)
        while due_s < start_s + seconds:
            now = time.monotonic()
            while due_s <= min(now, start_s + seconds):
                self._send(due_s, now)
                due_s += chance.expovariate(rate)
            await asyncio.sleep(TICK_S)
        for _ in range(int(SETTLE_S / TICK_S)):
            if len(self.free) == CONNECTIONS:
                break
            await asyncio.sleep(TICK_S)

    def _send(self, due_s: float, now: float) -> None:
        if not self.free:
            self.unsent += 1
            return
        self.lag_s.append(now - due_s)
        self.free.pop().send(due_s)


def _length(head: bytes) -> int:
    return int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])


def main(port: str, rate: str, seconds: str, seed: str) -> None:
    flood = Flood()
    asyncio.run(flood.run(int(port), float(rate), float(seconds), int(seed)))
    lag_s = sorted(flood.lag_s)
    print(
        json.dumps(
            {
                "sent": len(lag_s),
                "unsent": flood.unsent,
                "lag_p99_s": lag_s[int(0.99 * len(lag_s))],
                "counts": flood.counts,
                "without_advice": flood.without_advice,
                "answered_s": flood.answered_s,
                "sold_s": flood.sold_s,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
