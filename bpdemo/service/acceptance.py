"""The short way through, for a caller who does not wait: their order is promised, not yet sold.

A place in the queue, a worker and a deadline it takes like any other; but the worker only stores
the promise, and some durable worker keeps it later (see durable_work.py).
"""

import asyncio
from collections.abc import Callable

from bpdemo.core.errors import DeadlineExceeded, OutcomeUnknown, SoldOut
from bpdemo.core.model import Order
from bpdemo.core.ports import Backlog, Store
from bpdemo.flow.guard import Guard
from bpdemo.service.debts import TRY_S
from bpdemo.service.order_job import OrderJob, Sale
from bpdemo.service.own_task import OwnTask
from bpdemo.service.work import OrderWork, by_latest, replay
from bpdemo.service.write import Write


class Acceptance:
    """Promises one order at a time per worker; at most `capacity` promises are open at once."""

    def __init__(
        self,
        work: OrderWork,
        backlog: Backlog,
        store: Store,
        store_guard: Guard,
        capacity: int,
        *,
        clock: Callable[[], float],
    ) -> None:
        self.capacity = capacity
        self._work = work
        self._backlog = backlog
        self._store = store
        self._store_guard = store_guard
        self._clock = clock

    async def accept(self, job: OrderJob) -> Sale:
        """The pending order, or the one that has its key already. Raises as `OrderWork.sell` does,
        and `QueueFull`."""
        if stored := await self._work.find_by_key(job):
            return replay(stored, job)
        item = await self._work.find_item(job)
        if not item.in_stock:
            raise SoldOut
        if job.deadline.has_passed(self._clock()):
            raise DeadlineExceeded
        order = self._work.new_order(job, item)
        standing = await self._promise(order, job)
        if standing.id == order.id:
            return Sale(standing, replayed=False)
        return replay(standing, job)

    async def _promise(self, order: Order, job: OrderJob) -> Order:
        # Under one id whatever becomes of an attempt: a second one finds what the first has done.
        task = OwnTask()
        write = Write(self._store_guard, lambda: self._backlog.accept(order, self.capacity))
        try:
            return await by_latest(job, write.call)
        except DeadlineExceeded:
            raise  # everybody has been answered, and a repeat finds whatever stands
        except BaseException as error:
            if not write.in_doubt:
                raise
            if task.is_ending:  # nothing can be awaited
                raise OutcomeUnknown from error
            if standing := await self._learn(order.id):
                return standing
            raise error

    async def _learn(self, order_id: str) -> Order | None:
        """The promise, if it stands; else it never will. Raises `OutcomeUnknown`.

        It has a key, so it may stand then: a worker keeps it, and a repeat finds it.
        """
        try:
            async with asyncio.timeout(TRY_S):
                return await self._store.void(order_id)
        except BaseException as error:
            raise OutcomeUnknown from error
