"""The short way through, for a caller who does not wait: his order is promised, not yet sold.

A place in the queue, a worker and a deadline it takes like any other; but the worker only stores
the promise, and some durable worker keeps it later (see durable_work.py).
"""

from collections.abc import Callable

from bpdemo.core.errors import DeadlineExceeded, SoldOut
from bpdemo.core.ports import Backlog
from bpdemo.flow.guard import Guard
from bpdemo.service.order_job import OrderJob, Sale
from bpdemo.service.work import OrderWork, by_latest, replay


class Acceptance:
    """Promises one order at a time per worker; at most `capacity` promises are open at once."""

    def __init__(
        self,
        work: OrderWork,
        backlog: Backlog,
        store_guard: Guard,
        capacity: int,
        *,
        clock: Callable[[], float],
    ) -> None:
        self.capacity = capacity
        self._work = work
        self._backlog = backlog
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
        # Under one id whatever becomes of an attempt: a second one finds what the first has done.
        standing = await by_latest(
            job,
            lambda deadline: self._store_guard.call(
                lambda: self._backlog.accept(order, self.capacity), deadline
            ),
        )
        if standing.id == order.id:
            return Sale(standing, replayed=False)
        return replay(standing, job)
