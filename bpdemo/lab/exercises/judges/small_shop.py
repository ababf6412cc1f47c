"""A small shop for 07d: two workers behind a bounded queue, `POST /orders` and `GET /metrics`.

It writes down what is true at each scrape, to be compared with what the scrape said.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

WORKERS, CAPACITY, PAY_S = 2, 8, 0.03


class ShopQueue:
    """A bounded queue that tells what happens in it, and its length."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.on_reject: Callable[[int], object] = lambda *_: None
        self.on_start: Callable[[int, float], object] = lambda *_: None
        self.rejected = 0
        self.waits_s: list[float] = []
        self.slip: Exception | None = None
        self._waiting: deque[tuple[int, float, asyncio.Future[None]]] = deque()
        self._has_some = asyncio.Condition()

    def __len__(self) -> int:
        return len(self._waiting)

    async def put(self, order: int) -> asyncio.Future[None] | None:
        """Its turn's future; None if there is no place."""
        loop = asyncio.get_running_loop()
        if len(self) >= self.capacity:
            self.rejected += 1
            self._tell(self.on_reject, order)
            return None
        turn = loop.create_future()
        self._waiting.append((order, loop.time(), turn))
        async with self._has_some:
            self._has_some.notify()
        return turn

    async def take(self) -> asyncio.Future[None]:
        async with self._has_some:
            await self._has_some.wait_for(lambda: self._waiting)
            order, came_s, turn = self._waiting.popleft()
        self.waits_s.append(asyncio.get_running_loop().time() - came_s)
        self._tell(self.on_start, order, self.waits_s[-1])
        return turn

    def _tell(self, hook: Callable[..., object], *figures: float) -> None:
        try:
            hook(*figures)
        except Exception as error:
            self.slip = self.slip or error


@dataclass(frozen=True)
class Scrape:
    """What `/metrics` said, and what was so at that moment."""

    text: str
    depth: int
    rejected: int
    waits_s: tuple[float, ...]


@dataclass
class Shop:
    """An ASGI application: `POST /orders`, `GET /metrics`."""

    instrument: Callable[[Any, Any], object]
    registry: CollectorRegistry
    queue: ShopQueue | None = None
    truths: list[Scrape] = field(default_factory=list)
    workers: list[asyncio.Task[None]] = field(default_factory=list)
    orders: int = 0
    #: Until so many orders have come and been seen by a scrape, workers take none: a crowd fills
    #: the queue however slowly a busy machine sends it.
    holds_until: int = 0
    is_free: asyncio.Event = field(default_factory=asyncio.Event)
    slip: BaseException | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._live(receive, send)
        elif scope["path"] == "/metrics":
            await _answer(send, 200, self._scrape())
        else:
            await self._order(send)

    async def _live(self, receive: Any, send: Any) -> None:
        """The lifespan: the queue and its workers come and go with the server."""
        while (message := await receive())["type"] != "lifespan.shutdown":
            self.queue = ShopQueue(CAPACITY)
            try:
                self.instrument(self.queue, self.registry)
            except BaseException as error:
                self.slip = error
            self.workers = [asyncio.ensure_future(self._work()) for _ in range(WORKERS)]
            await send({"type": f"{message['type']}.complete"})
        for worker in self.workers:
            worker.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    async def _order(self, send: Any) -> None:
        assert self.queue is not None
        self.orders += 1
        if self.orders < self.holds_until:
            self.is_free.clear()
        turn = await self.queue.put(self.orders)
        if turn is not None:
            await turn
        await _answer(send, 503 if turn is None else 201, json.dumps({"order": self.orders}))

    async def _work(self) -> None:
        assert self.queue is not None
        while True:
            await self.is_free.wait()
            turn = await self.queue.take()
            await asyncio.sleep(PAY_S)
            if not turn.done():  # its caller may have left
                turn.set_result(None)

    def _scrape(self) -> str:
        from prometheus_client import generate_latest

        assert self.queue is not None
        text = generate_latest(self.registry).decode()
        queue = self.queue
        self.truths.append(Scrape(text, len(queue), queue.rejected, tuple(queue.waits_s)))
        if self.orders >= self.holds_until:
            self.is_free.set()
        return text


async def _answer(send: Any, status: int, body: str) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body.encode()})
