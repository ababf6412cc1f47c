"""Callers who ask again as soon as they are answered: how fast can a server answer?

    python -m benchmarks.closed PORT CONNECTIONS SECONDS

A closed loop hides overload, and so it must never judge goodput. Here it only keeps a server busy.
Prints one JSON line: answers by status, and the seconds they took.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from benchmarks.flood import AGAIN, answer_of


class Asker(asyncio.Protocol):
    """One connection."""

    def __init__(self, counts: dict[str, int]) -> None:
        self._counts = counts
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(AGAIN)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        status = answer_of(self._buffer)
        if status:
            self._buffer = b""
            self._counts[status] = self._counts.get(status, 0) + 1
            self._transport.write(AGAIN)


async def ask(port: int, connections: int, seconds: float) -> tuple[dict[str, int], float]:
    counts: dict[str, int] = {}
    loop, began_s = asyncio.get_running_loop(), time.monotonic()
    for _ in range(connections):
        await loop.create_connection(lambda: Asker(counts), "127.0.0.1", port)
    await asyncio.sleep(seconds)
    return dict(counts), time.monotonic() - began_s


def main(port: str, connections: str, seconds: str) -> None:
    counts, took_s = asyncio.run(ask(int(port), int(connections), float(seconds)))
    print(json.dumps({"counts": counts, "took_s": took_s}))


if __name__ == "__main__":
    main(*sys.argv[1:])
