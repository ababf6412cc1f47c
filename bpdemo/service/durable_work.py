"""What a durable worker does for one order that was promised.

    pending ── charge ──▶ confirm ──▶ confirmed
       │          │          │
       └──────────┴── fail ──┴──▶ failed ── refund ──▶ settled

Any step may find that it was done before: by a worker that died, or by one that was only slow. All
are safe to repeat, and the order's own state decides which of two workers has its way. So whatever
goes wrong, a lost answer or an error that would end the process, the order is given back, to be
tried again later; after `TRIES` times it fails, unless it turns out to be confirmed.
"""

import asyncio
from collections.abc import Callable
from random import Random

from bpdemo.core.errors import AttemptTimeout, BoxOfficeError, NotFound, SoldOut
from bpdemo.core.events import DurableOrderEnded, DurableOutcome
from bpdemo.core.model import Order
from bpdemo.core.ports import Backlog, Observer, Payment, Store
from bpdemo.flow.backoff import BackoffPolicy, backoff_s
from bpdemo.flow.guard import Guard
from bpdemo.service.catalogue import Catalogue
from bpdemo.service.own_task import OwnTask, apart

#: Two and a half minutes with the waits between; a refund that is owed is tried until it is made.
TRIES = 10
BACKOFF = BackoffPolicy(attempts=TRIES, base_s=1.0, cap_s=30.0, jitter="equal")
#: How long one try of a refund may take. It passes no breaker: money is given back, open or not.
REFUND_S = 5.0


class _Unknown(Exception):
    """There is no such order."""


class DurableWork:
    """Brings promised orders to their end, one at a time per place."""

    def __init__(
        self,
        catalogue: Catalogue,
        store: Store,
        backlog: Backlog,
        store_guard: Guard,
        payment: Payment,
        payment_guard: Guard,
        *,
        clock: Callable[[], float],
        rng: Random,
        observer: Observer,
    ) -> None:
        self._catalogue = catalogue
        self._store = store
        self._backlog = backlog
        self._store_guard = store_guard
        self._payment = payment
        self._payment_guard = payment_guard
        self._clock = clock
        self._rng = rng
        self._observer = observer

    async def work(self, order_id: str, tries: int) -> float | None:
        """None when nothing is left to do; else after how many seconds to try again.

        `tries` were made before.
        """
        started_s, task = self._clock(), OwnTask()
        outcome: DurableOutcome
        after_s = None
        try:
            order = await apart(self._bring_to_end(order_id, is_last=tries + 1 >= TRIES))
            outcome, reason = ("failed", order.reason) if order.reason else ("confirmed", None)
        except _Unknown:  # whatever put it into the queue promised nothing to anybody
            outcome, reason = "failed", NotFound.reason
        except BaseException as error:
            if task.is_ending:  # the worker's own end, and not a call that raised the like
                raise
            outcome, reason = "given_back", _reason_of(error)
            after_s = max(
                backoff_s(BACKOFF, tries + 1, 0.0, self._rng),
                getattr(error, "retry_after_s", None) or 0.0,
            )
        service_s = self._clock() - started_s
        self._observer.observe(DurableOrderEnded(outcome, reason, order_id, service_s))
        return after_s

    async def _bring_to_end(self, order_id: str, *, is_last: bool) -> Order:
        order = await self._store_guard.call(lambda: self._store.find_order(order_id))
        order = _known(order)
        if order.status == "confirmed":  # by a try whose answer was lost, or by another worker
            self._catalogue.forget_item(order.item_id)
        if order.status == "pending":
            order = await self._sell(order, is_last=is_last)
        if order.status == "failed":
            await self._refund(order)
        return order

    async def _sell(self, order: Order, *, is_last: bool) -> Order:
        task = OwnTask()
        try:
            return await self._charge_and_confirm(order)
        except SoldOut as sold_out:
            self._catalogue.forget_item(order.item_id)
            return await self._fail(order, sold_out.reason)
        except BaseException as error:
            if task.is_ending or not is_last:
                raise
            return await self._fail(order, _reason_of(error))

    async def _charge_and_confirm(self, order: Order) -> Order:
        item, _ = await self._catalogue.find_item(order.item_id)
        if not item.in_stock:
            raise SoldOut  # no need to charge first
        self._store_guard.breaker.check()  # before charging for what could not be stored
        await self._payment_guard.call(lambda: self._payment.charge(order.id, order.amount_cents))
        stock_left = 0
        try:
            placed = await self._store_guard.call(lambda: self._backlog.confirm(order.id))
            if placed is None:
                return _known(None)
            stock_left = placed.stock_left
            return placed.order
        finally:
            if stock_left <= 0:  # or nobody knows
                self._catalogue.forget_item(order.item_id)

    async def _fail(self, order: Order, reason: str) -> Order:
        """The order as it stands: sold after all, if an answer was lost or another worker won."""
        standing = await self._store_guard.call(lambda: self._backlog.fail(order.id, reason))
        return _known(standing)

    async def _refund(self, order: Order) -> None:
        """Bars the charge too, if another worker is about to make it."""
        try:
            async with asyncio.timeout(REFUND_S):
                await self._payment.refund(order.id)
        except TimeoutError as error:
            raise AttemptTimeout from error
        await self._store_guard.call(lambda: self._backlog.settle(order.id))


def _known(order: Order | None) -> Order:
    if order is None:
        raise _Unknown
    return order


def _reason_of(error: BaseException) -> str:
    return error.reason if isinstance(error, BoxOfficeError) else BoxOfficeError.reason
