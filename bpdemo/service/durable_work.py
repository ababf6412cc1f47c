"""What a durable worker does for one order that was promised.

    pending ── charge ──▶ confirm ──▶ confirmed
       │          │          │
       └──────────┴── fail ──┴──▶ failed ── refund ──▶ settled

Any step may find that it was done before: by a worker that died, or by one that was only slow. All
are safe to repeat, and the order's own state decides which of two workers has its way. So whatever
goes wrong, a lost answer or an error that would end the process, the order is given back, to be
tried again later: after about 1 s, 2 s and so on to 30 s, each drawn between half of that and all.

A refund is tried until it is made, past the breaker, and gently (`service/turns.py`): one worker
asks for a few at a time, and for four a second while none succeeds. An order whose refund has no
turn is given back unasked, so that the other places are free for new promises.

An order fails, unless it turns out to be confirmed, when `TRIES` tries have counted against it or a
try fails after `GIVE_UP_S`. A failed try counts only if payment or store was asked for the order
and did not say yes, while this worker sold another order within the last `LATELY_S`. What an open
breaker or an exhausted pool refused, and what was lost before it left us, tells nothing about the
order; nor does what is refused to everybody. In an outage nobody is sold, so however long it lasts
(up to a day), however few are waiting, and with a breaker or without, it costs an order at most the
six tries that fit into its first `LATELY_S`, and the one that it is in as others are sold again. An
order that alone is refused, while others are sold, fails after ten tries in a row, which take
between 75 and 151 s. If others are seldom sold, it takes longer, up to the day.
"""

from collections.abc import Callable
from math import inf
from random import Random
from typing import NamedTuple

from bpdemo.core.errors import BoxOfficeError, DependencyError, NotFound, SoldOut
from bpdemo.core.events import DurableOrderEnded, DurableOutcome
from bpdemo.core.model import Order, Placed
from bpdemo.core.ports import Backlog, Observer, Payment, Store
from bpdemo.flow.backoff import BackoffPolicy, backoff_s
from bpdemo.flow.guard import Guard
from bpdemo.service.catalogue import Catalogue
from bpdemo.service.long_tries import LongTries
from bpdemo.service.own_task import OwnTask, apart
from bpdemo.service.turns import Turns
from bpdemo.service.write import Write

TRIES = 10
#: How old an order may be that is still given back, whether or not anybody could be asked for it.
GIVE_UP_S = 24 * 3600.0
#: How long the sale of another order shows that payment and store are well. As long as the longest
#: wait between two tries, so that each of them counts while others are sold all the time.
LATELY_S = 30.0
#: For its waits alone.
BACKOFF = BackoffPolicy(attempts=TRIES, base_s=1.0, cap_s=LATELY_S, jitter="equal")
REFUNDS_AT_ONCE = 6
LONG_REFUNDS = 4


def refunds_at_once(places: int) -> int:
    """How many of a worker's places refunds may hold: one in four stays free of them, if there are
    two at all."""
    return max(1, places - max(1, places // 4))


class _Unknown(Exception):
    """There is no such order."""


class _Gone(NamedTuple):
    """What is left of an order that somebody deleted."""

    id: str


class DurableWork:
    """Brings promised orders to their end, one at a time per place.

    At most `refunds_at_once` of the places are held by refunds, and `long_refunds` of these for
    longer than a second.
    """

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
        refunds_at_once: int = REFUNDS_AT_ONCE,
        long_refunds: int = LONG_REFUNDS,
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
        self._turns = Turns(refunds_at_once)
        self._refunds = LongTries(long_refunds)
        self._sold_s = -inf  # when this worker last saw an order charged and confirmed

    async def work(self, order_id: str, given_back: int, age_s: float = 0.0) -> float | None:
        """None when nothing is left to do; else after how many seconds to try again.

        The order was promised `age_s` ago, and `given_back` as often: that says how long to wait
        and how long a refund may take, and nothing about whether the order fails.
        """
        started_s, task = self._clock(), OwnTask()
        outcome: DurableOutcome
        after_s = None
        try:
            order = await apart(lambda: self._bring_to_end(order_id, given_back, age_s))
            outcome, reason = ("failed", order.reason) if order.reason else ("confirmed", None)
        except _Unknown:  # whatever put it into the queue promised nothing to anybody
            outcome, reason = "failed", NotFound.reason
        except BaseException as error:
            if task.is_ending:  # the worker's own end, and not a call that raised the like
                raise
            outcome, reason = "given_back", _reason_of(error)
            after_s = max(
                backoff_s(BACKOFF, given_back + 1, 0.0, self._rng),
                getattr(error, "retry_after_s", None) or 0.0,
            )
        service_s = self._clock() - started_s
        self._observer.observe(DurableOrderEnded(outcome, reason, order_id, service_s))
        return after_s

    async def _bring_to_end(self, order_id: str, given_back: int, age_s: float) -> Order:
        order = await self._store_guard.call(lambda: self._store.find_order(order_id))
        if order is None:
            if given_back:  # it was an order then, and may have been charged for
                await self._refund(_Gone(order_id), given_back)
            raise _Unknown
        if order.status == "confirmed":  # by a try whose answer was lost, or by another worker
            self._catalogue.forget_item(order.item_id)
        if order.status == "pending":
            try:
                order = await self._sell(order, age_s)
            except _Unknown:  # no claim says any more that money is owed
                await self._refund(order, given_back)
                raise
        if order.status == "failed":
            await self._refund(order, given_back)
        return order

    async def _sell(self, order: Order, age_s: float) -> Order:
        task = OwnTask()
        charge = Write(
            self._payment_guard, lambda: self._payment.charge(order.id, order.amount_cents)
        )
        confirm = Write(self._store_guard, lambda: self._backlog.confirm(order.id))
        try:
            return await self._charge_and_confirm(order, charge, confirm)
        except SoldOut as sold_out:
            self._catalogue.forget_item(order.item_id)
            return await self._fail(order, sold_out.reason)
        except BaseException as error:
            if task.is_ending:
                raise
            asked = charge.in_doubt or confirm.in_doubt
            if not await self._has_failed(order, asked=asked, age_s=age_s):
                raise
            return await self._fail(order, _reason_of(error))

    async def _charge_and_confirm(
        self, order: Order, charge: Write[None], confirm: Write[Placed | None]
    ) -> Order:
        item, _ = await self._catalogue.find_item(order.item_id)
        if not item.in_stock:
            raise SoldOut  # no need to charge first
        self._store_guard.breaker.check()  # before charging for what could not be stored
        await charge.call()
        stock_left = 0
        try:
            placed = await confirm.call()
            if placed is None:
                return _known(None)
            stock_left = placed.stock_left
            self._sold_s = self._clock()
            return placed.order
        finally:
            if stock_left <= 0:  # or nobody knows
                self._catalogue.forget_item(order.item_id)

    async def _has_failed(self, order: Order, *, asked: bool, age_s: float) -> bool:
        """Whether the order fails with the try that just did; counts the try if it is to count.

        By one attempt alone, since a count that is repeated counts twice.
        """
        if age_s >= GIVE_UP_S:
            return True
        others_are_sold = self._clock() - self._sold_s <= LATELY_S
        if not (asked and others_are_sold):
            return False
        return await self._store_guard.attempt(lambda: self._backlog.count_try(order.id)) >= TRIES

    async def _fail(self, order: Order, reason: str) -> Order:
        """The order as it stands: sold after all, if an answer was lost or another worker won."""
        standing = await self._store_guard.call(lambda: self._backlog.fail(order.id, reason))
        return _known(standing)

    async def _refund(self, order: Order | _Gone, given_back: int) -> None:
        """Past the breaker, open or not: money goes back. It bars the charge, too, if another
        worker is about to make it."""
        with self._turns.one_now() as is_ours:
            if not is_ours:
                raise DependencyError("It is not the turn of this refund.", asked=False)
            try:
                await self._refunds.limit(lambda: self._payment.refund(order.id), given_back)
            except BaseException:
                self._turns.failed()
                raise
            self._turns.succeeded()
        await self._store_guard.call(lambda: self._backlog.settle(order.id))


def _known(order: Order | None) -> Order:
    if order is None:
        raise _Unknown
    return order


def _reason_of(error: BaseException) -> str:
    return error.reason if isinstance(error, BoxOfficeError) else BoxOfficeError.reason
