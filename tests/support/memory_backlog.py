"""Promised orders in memory, and a durable worker for them: all of `respond-async` in virtual time.

`opened` of tests/service/promises.py puts them beside a service.
"""

import asyncio
from collections import Counter, deque

from bpdemo.core.errors import DependencyError, QueueFull, SoldOut
from bpdemo.core.model import Order, Placed
from bpdemo.downstream.memory import MemoryStore
from bpdemo.service.durable_work import DurableWork


class MemoryBacklog:
    """Keeps what PostgreSQL's backlog keeps, in a memory store's own tables."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._orders = store._orders
        self.unsettled: set[str] = set()
        self.queue: deque[str] = deque()
        self.tries: Counter[str] = Counter()

    async def accept(self, order: Order, capacity: int) -> Order:
        if order.id in self._store._voided:
            raise DependencyError("The order was voided before.")
        standing = self._store._standing_for(order)
        if standing is not None:
            return standing
        if len(self.unsettled) >= capacity:
            raise QueueFull
        promised = order._replace(status="pending")
        self._orders[order.id] = promised
        assert order.key is not None, "a promise needs one"
        self._store._id_by_key[order.key] = order.id
        self.unsettled.add(order.id)
        self.queue.append(order.id)
        return promised

    async def confirm(self, order_id: str) -> Placed | None:
        order = self._orders.get(order_id)
        if order is None:
            return None
        stock = self._store._stock
        if order.status == "pending":
            if stock[order.item_id] < order.quantity:
                raise SoldOut
            stock[order.item_id] -= order.quantity
            order = self._orders[order_id] = order._replace(status="confirmed")
            self.unsettled.discard(order_id)
        return Placed(order, stock[order.item_id])

    async def count_try(self, order_id: str) -> int:
        self.tries[order_id] += 1
        return self.tries[order_id]

    async def fail(self, order_id: str, reason: str) -> Order | None:
        order = self._orders.get(order_id)
        if order is not None and order.status == "pending":
            assert order.key is not None
            del self._store._id_by_key[order.key]
            order = order._replace(status="failed", reason=reason, key=None)
            self._orders[order_id] = order
        return order

    async def settle(self, order_id: str) -> None:
        order = self._orders.get(order_id)
        if order is not None and order.status == "failed":
            self.unsettled.discard(order_id)

    async def depth(self) -> int:
        return len(self.unsettled)

    async def requeue_lost(self) -> int:
        return 0  # nothing is lost in memory


class MemoryWorker:
    """Takes what is promised, one after another, until it is told to stop."""

    def __init__(self, backlog: MemoryBacklog, work: DurableWork) -> None:
        self._backlog = backlog
        self._work = work
        self._later: set[asyncio.Task[None]] = set()
        self._busy = 0
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def all_done(self) -> None:
        """Wait until nothing is promised any more."""
        backlog = self._backlog
        while backlog.unsettled or backlog.queue or self._later or self._busy:  # noqa: ASYNC110
            await asyncio.sleep(1.0)

    async def stop(self) -> None:
        tasks = [self._task, *self._later]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            while self._backlog.queue:
                order_id = self._backlog.queue.popleft()
                await self._bring_to_end(order_id, 0, asyncio.get_running_loop().time())
            await asyncio.sleep(0.5)

    async def _bring_to_end(self, order_id: str, given_back: int, since_s: float) -> None:
        self._busy += 1
        loop = asyncio.get_running_loop()
        try:
            after_s = await self._work.work(order_id, given_back, loop.time() - since_s)
        finally:
            self._busy -= 1
        if after_s is not None:
            task = loop.create_task(self._again(order_id, given_back + 1, since_s, after_s))
            self._later.add(task)
            task.add_done_callback(self._later.discard)

    async def _again(self, order_id: str, given_back: int, since_s: float, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await self._bring_to_end(order_id, given_back, since_s)
