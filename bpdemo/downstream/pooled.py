"""A store behind a bounded pool of connections, where it has none of its own: that in memory."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from random import Random

from bpdemo.core.errors import PoolExhausted
from bpdemo.core.events import PoolWaited
from bpdemo.core.model import Item, Order, Placed
from bpdemo.core.ports import Observer, Store
from bpdemo.core.ranges import require_count, require_number
from bpdemo.downstream.faults import FaultPolicy, FaultyStore


class ConnectionPool:
    """At most `size` connections, lent one at a time, to those who have waited longest first.

    They wait `acquire_timeout_s` (0: as long as it takes), and then hear `PoolExhausted`: the same
    as before a database, on any loop.
    """

    def __init__(self, size: int, acquire_timeout_s: float, observer: Observer) -> None:
        require_count("size", size, 1)
        require_number("acquire_timeout_s", acquire_timeout_s)
        self._size = size
        self._acquire_timeout_s = acquire_timeout_s
        self._observer = observer
        self._busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def counts(self) -> Mapping[str, int]:
        """Connections by state: idle and busy. One that is handed on is never idle in between."""
        return {"idle": self._size - self._busy, "busy": self._busy}

    async def acquire(self) -> None:
        """Returns with a connection, which must be released. If it raises, there is none to be."""
        if self._busy < self._size:  # at once: while one is idle, nobody waits
            self._busy += 1
            wait_s = 0.0
        else:
            wait_s = await self._wait()
        try:
            self._observer.observe(PoolWaited(wait_s))
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """The one that has waited longest gets it, and has it from now on, not from when its task
        comes to run: so nobody who comes in between takes it, and no count shows it as idle."""
        for heir in self._waiting:
            if not heir.done():
                heir.set_result(None)
                return
        self._busy -= 1

    async def _wait(self) -> float:
        """The seconds that it took."""
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        heir = loop.create_future()
        self._waiting.append(heir)
        try:
            async with asyncio.timeout(self._acquire_timeout_s or None):
                await heir
        except BaseException as why:
            if heir.done() and not heir.cancelled():
                self.release()  # handed over at the moment at which its caller left
            # The caller must hear why there is none, which is more than an observer's bug.
            with suppress(Exception):
                self._observer.observe(PoolWaited(loop.time() - started_s))
            if isinstance(why, TimeoutError):
                raise PoolExhausted from None
            raise
        finally:
            self._waiting.remove(heir)
        return loop.time() - started_s


class PooledStore(FaultyStore):
    """Each call holds a connection until it is over, its faults and latency included. One that is
    cancelled, as an attempt is at its timeout, gives it back at once: what it held was for nothing.
    """

    def __init__(
        self, store: Store, policy: FaultPolicy, rng: Random, pool: ConnectionPool
    ) -> None:
        super().__init__(store, policy, rng)
        self.pool = pool

    async def list_items(self, limit: int, after: int) -> Sequence[Item]:
        await self.pool.acquire()
        try:
            return await super().list_items(limit, after)
        finally:
            self.pool.release()

    async def find_item(self, item_id: int) -> Item | None:
        await self.pool.acquire()
        try:
            return await super().find_item(item_id)
        finally:
            self.pool.release()

    async def find_order(self, order_id: str) -> Order | None:
        await self.pool.acquire()
        try:
            return await super().find_order(order_id)
        finally:
            self.pool.release()

    async def find_order_by_key(self, key: str) -> Order | None:
        await self.pool.acquire()
        try:
            return await super().find_order_by_key(key)
        finally:
            self.pool.release()

    async def place(self, order: Order) -> Placed:
        await self.pool.acquire()
        try:
            return await super().place(order)
        finally:
            self.pool.release()

    async def void(self, order_id: str) -> Order | None:
        await self.pool.acquire()
        try:
            return await super().void(order_id)
        finally:
            self.pool.release()

    async def take_back(self, order_id: str) -> None:
        await self.pool.acquire()
        try:
            await super().take_back(order_id)
        finally:
            self.pool.release()
