"""The way through: what a worker does for one order.

    known key? ── replay            nothing is charged twice
    charge  ──▶ place               in this order: a ticket is never given away unpaid
       │          │
       └─ failed ─┴─▶ money back    see debts.py

Once charging has begun nothing cuts the work short, neither a deadline nor a hang-up: it ends with
a stored order or with the money back.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from random import Random
from typing import TypeVar

from bpdemo.core.errors import (
    DeadlineExceeded,
    DependencyError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Refused,
    SoldOut,
)
from bpdemo.core.model import Item, Order
from bpdemo.core.ports import Payment, Store
from bpdemo.flow.deadline import Deadline
from bpdemo.flow.guard import Guard
from bpdemo.service.catalogue import Catalogue
from bpdemo.service.debts import Debts
from bpdemo.service.order_ids import new_order_id
from bpdemo.service.order_job import OrderJob, Sale
from bpdemo.service.own_task import OwnTask
from bpdemo.service.write import Write

T = TypeVar("T")

#: One order makes at most so many: by key, the item, charge, place.
GUARDED_CALLS = 4
OTHER_BODY = "was used before with another body"


class OrderWork:
    """Sells one order at a time per worker."""

    def __init__(
        self,
        catalogue: Catalogue,
        store: Store,
        store_guard: Guard,
        payment: Payment,
        payment_guard: Guard,
        debts: Debts,
        *,
        clock: Callable[[], float],
        today: Callable[[], datetime],
        rng: Random,
    ) -> None:
        self._catalogue = catalogue
        self._store = store
        self._store_guard = store_guard
        self._payment = payment
        self._payment_guard = payment_guard
        self._debts = debts
        self._clock = clock
        self._today = today
        self._rng = rng

    async def sell(self, job: OrderJob) -> Sale:
        """The sale, or the error that the caller is told."""
        if job.key and (stored := await self.find_replay(job)):
            return replay(stored, job)
        item = await self.find_item(job)
        if not item.in_stock:
            raise SoldOut  # no need to charge first
        if job.deadline.has_passed(self._clock()):
            raise DeadlineExceeded
        self._store_guard.breaker.check()  # before charging for what could not be stored
        order = self.new_order(job, item)
        await self._charge(order)
        return await self._place(order, job)

    async def find_replay(self, job: OrderJob) -> Order | None:
        """The order that holds the job's key, if it has one."""
        key = job.key
        if not key:
            return None
        return await by_latest(job, lambda deadline: self.find_by_key(key, deadline))

    async def find_by_key(self, key: str, deadline: Deadline) -> Order | None:
        """The stored order with the key. Raises `OutcomeUnknown` when one may be stored yet.

        So nobody hears a no that a lost `place` with their key would belie by arriving late.
        """
        if lost := self._debts.in_doubt.get(key):
            try:
                standing = await self._store_guard.call(lambda: self._store.void(lost.id), deadline)
            except (DependencyError, Refused) as error:
                raise OutcomeUnknown from error
            if standing:
                return standing
        return await self._store_guard.call(lambda: self._store.find_order_by_key(key), deadline)

    async def find_item(self, job: OrderJob) -> Item:
        """What the job wants. Raises `InvalidRequest` where there is no such item."""
        known = self._catalogue.peek_item(job.wanted.item_id)
        if known is not None:
            return known
        try:
            item, _ = await by_latest(
                job, lambda deadline: self._catalogue.find_item(job.wanted.item_id, deadline)
            )
        except NotFound as error:
            raise InvalidRequest("item_id", f"there is no item {job.wanted.item_id}") from error
        return item

    def new_order(self, job: OrderJob, item: Item) -> Order:
        """Under an id of its own, at today's price; nothing is stored yet."""
        wanted = job.wanted
        return Order(
            id=new_order_id(self._rng),
            item_id=wanted.item_id,
            quantity=wanted.quantity,
            amount_cents=item.price_cents * wanted.quantity,
            created_at=self._today(),
            key=job.key,
        )

    async def _charge(self, order: Order) -> None:
        charge = Write(
            self._payment_guard, lambda: self._payment.charge(order.id, order.amount_cents)
        )
        try:
            await charge.call()
        except BaseException:
            if charge.in_doubt:  # neither refused by the breaker, nor lost before it left us
                self._debts.owe_refund(order.id)
            raise

    async def _place(self, order: Order, job: OrderJob) -> Sale:
        task, write = OwnTask(), Write(self._store_guard, lambda: self._store.place(order))
        try:
            placed = await write.call()
        except BaseException as error:
            stored = await self._undo(order, error, in_doubt=write.in_doubt, task=task)
            return Sale(stored, replayed=False)
        if placed.stock_left <= 0:
            self._catalogue.forget_item(order.item_id)
        if placed.order.id == order.id:
            self._payment.settle(order.id)
            return Sale(placed.order, replayed=False)
        # Another process stored or promised this key first.
        if write.in_doubt:  # an attempt may be on its way still, and the key come free before
            self._debts.owe_resolution(order)
        else:
            await self._debts.refund(order.id)
        return replay(placed.order, job)

    async def _undo(
        self, order: Order, error: BaseException, *, in_doubt: bool, task: OwnTask
    ) -> Order:
        """Make good what ended with `error`, and raise that; or the order, if it stands after all.

        Raises `OutcomeUnknown` where neither can be known.
        """
        if isinstance(error, SoldOut):
            self._catalogue.forget_item(order.item_id)
        if task.is_ending:  # nothing can be awaited
            self._debts.owe_resolution(order)
            if in_doubt:
                raise OutcomeUnknown from error
        elif not in_doubt:
            await self._debts.refund(order.id)
        elif stored := await self._debts.resolve(order):
            return stored
        raise error


async def by_latest(job: OrderJob, read: Callable[[Deadline], Awaitable[T]]) -> T:
    """`read(deadline)`, once more if a caller who has longer joined meanwhile."""
    while True:
        deadline = job.deadline
        try:
            return await read(deadline)
        except DeadlineExceeded:
            if job.deadline <= deadline:
                raise


def replay(stored: Order, job: OrderJob) -> Sale:
    """The order again, to one who repeats its key. Raises `InvalidRequest` for another body."""
    if not stored.asks_for(job.wanted):
        raise InvalidRequest("Idempotency-Key", OTHER_BODY)
    return Sale(stored, replayed=True)
