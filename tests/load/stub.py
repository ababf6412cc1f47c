"""A box office made of a sleep: a real HTTP server that answers as the contract says.

Its behaviour is a function from the number of the order to an answer, so that each test
knows what must come of the load.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

REASONS = {200: "OK", 201: "Created", 409: "Conflict", 503: "Unavailable", 504: "Timeout"}
PAGES = ("stats", "metrics", "settings", "items")


@dataclass(frozen=True)
class Answer:
    status: int = 201
    reason: str = ""
    after_s: float = 0.0
    retry_after_s: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class StubServer:
    """Serves on a free loopback port in a thread of its own, until closed."""

    answer: Callable[[int], Answer] = lambda n: Answer()
    name: str = "stub"
    capacity_per_s: float | None = 200.0
    lag_s: float = 0.001
    orders: int = 0
    hung_up: int = 0
    #: Headers of the orders, and of everything else that was asked.
    seen: list[dict[str, str]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    #: First lines and bodies of the orders.
    lines: list[str] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> StubServer:
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        self._thread.start()
        assert self._started.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    @property
    def orders_per_s(self) -> float:
        """From the first to the last of them."""
        return (self.orders - 1) / (self.times_s[-1] - self.times_s[0])

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1000)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._started.set()
        await self._stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {k.lower(): v for k, v in (h.split(": ", 1) for h in head[1:] if h)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if method != "GET" or path.split("/")[1] not in PAGES:
            self.lines.append(f"{method} {path}")
            self.times_s.append(time.monotonic())
            self.bodies.append(body)
            return await self._order(headers, reader, writer)
        self.asked.append(headers)
        writer.write(_response(Answer(200), self._page(path)))
        return True

    async def _order(
        self, headers: dict[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        self.orders += 1
        self.seen.append(headers)
        answer = self.answer(self.orders)
        if answer.after_s:
            # A caller that sends nothing more but closes is seen as the end of its stream.
            try:
                if not await asyncio.wait_for(reader.read(1), answer.after_s):
                    self.hung_up += 1
                    return False
            except TimeoutError:
                pass
        writer.write(_response(answer, {"status": answer.status, "reason": answer.reason}))
        return True

    def _page(self, path: str) -> object:
        if path == "/metrics":
            name = "bpdemo_event_loop_lag_seconds_bucket"
            counts = [(0.001, self.lag_s <= 0.001), (0.1, True), ("+Inf", True)]
            return "\n".join(
                f'{name}{{le="{le}"}} {(1000 + self.orders) * fits:d}' for le, fits in counts
            )
        return {
            "books": {},
            "queue": {"depth": 3, "capacity": 32},
            "workers": {"total": 8, "busy": 8},
            "breakers": {"payment": "closed", "store": "open"},
        }


def _response(answer: Answer, body: object) -> bytes:
    payload = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    extra = f"Retry-After: {answer.retry_after_s}\r\n" if answer.retry_after_s else ""
    extra += "".join(f"{name}: {text}\r\n" for name, text in answer.headers.items())
    head = (
        f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Other')}\r\n"
        f"Content-Length: {len(payload)}\r\n{extra}\r\n"
    )
    return head.encode() + payload
