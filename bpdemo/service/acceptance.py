"""The short way through, for a caller who does not wait: their order is promised, not yet sold.

A place in the queue, a worker and a deadline it takes like any other; but the worker only stores
the promise, and some durable worker keeps it later (see durable_work.py).
"""

from collections.abc import Callable

from bpdemo.core.errors import DeadlineExceeded, OutcomeUnknown, SoldOut
from bpdemo.core.model import Order
from bpdemo.core.ports import Backlog
from bpdemo.flow.guard import Guard
from bpdemo.service.debts import Debts
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
        debts: Debts,
        store_guard: Guard,
        capacity: int,
        *,
        clock: Callable[[], float],
    ) -> None:
        self.capacity = capacity
        self._work = work
        self._backlog = backlog
        self._debts = debts
        self._store_guard = store_guard
        self._clock = clock

    async def accept(self, job: OrderJob) -> Sale:
        """The pending order, or the one that has its key already. Raises as `OrderWork.sell` does,
        and `QueueFull`."""
        if stored := await self._work.find_replay(job):
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
            standing = await by_latest(job, write.call)
        except BaseException as error:
            if not write.in_doubt:
                raise
            # With a key it may stand: a worker keeps it then, and a repeat finds it.
            if task.is_ending or isinstance(error, DeadlineExceeded):  # nobody waits to be told
                self._debts.owe_resolution(order, is_paid=False)
                raise OutcomeUnknown from error
            if stored := await self._debts.resolve(order, is_paid=False):
                return stored
            raise error
        if write.in_doubt and standing.id != order.id:
            # An attempt may be on its way still, and find the key free when the other has failed.
            self._debts.owe_resolution(order, is_paid=False)
        return standing
