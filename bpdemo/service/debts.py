"""What we owe when a sale goes wrong half-way: to learn what was stored, and to give money back.

An attempt whose answer was lost has happened or not. So a failed charge is refunded, which bars it
if it never arrived; a failed `place` is voided, which tells whether it had succeeded:

    place lost ──void──▶ stored: sold              not stored: barred, money back
                  │
                  └─ lost, too: the callers hear that the outcome is unknown, and later
                                 with a key         void again: sold, or barred and money back
                                 without one        taken back, stock and money: nobody could
                                                    ever ask what became of it

What cannot be settled at once is owed, and tried until done: outside breaker and budget, but a few
at a time, and at most four times a second while nothing succeeds. Payment and store have turns of
their own, so that what is owed at one does not wait for the other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, stop_never

from bpdemo.core.errors import OutcomeUnknown
from bpdemo.core.events import MoneyOwed
from bpdemo.core.model import Order
from bpdemo.core.ports import Observer, Payment, Store
from bpdemo.flow.backoff import BackoffPolicy, backoff_s
from bpdemo.service.long_tries import TRY_S, LongTries
from bpdemo.service.own_task import OwnTask, apart
from bpdemo.service.turns import Turns

T = TypeVar("T")

#: At each dependency; half of them may take longer than `TRY_S`.
AT_ONCE = 8
LONG_AT_ONCE = 4
#: For its waits alone: an obligation is tried until it is met, however many attempts that takes.
BACKOFF = BackoffPolicy(attempts=1, base_s=0.1, cap_s=1.0, jitter="equal")


class Debts:
    """Settles sales that failed after charging had begun.

    `forget_item(item_id)` hears of each whose stock may have moved unseen.
    """

    def __init__(
        self,
        payment: Payment,
        store: Store,
        rng: Random,
        observer: Observer,
        forget_item: Callable[[int], None],
    ) -> None:
        self._payment = payment
        self._store = store
        self._observer = observer
        self._forget_item = forget_item
        self.in_doubt: dict[str, Order] = {}  # by their keys: stored or not, nobody knows yet
        # A dictionary: a set of tasks has another order in each run, and so would have a stop.
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._at_payment, self._at_store = _Tries(rng), _Tries(rng)

    @property
    def owed(self) -> int:
        return len(self._tasks)

    async def refund(self, order_id: str) -> None:
        """Give the money back, now if that works, else later.

        Raises nothing, not even at our own end: what the callers are to hear is known.
        """
        try:
            async with asyncio.timeout(TRY_S):
                await self._payment.refund(order_id)
        except BaseException:
            self.owe_refund(order_id)

    async def resolve(self, order: Order, *, is_paid: bool = True) -> Order | None:
        """The order if it is stored after all; else None: it is barred, and the money goes back.

        Raises `OutcomeUnknown` when the store does not tell. Then it is owed, and an order without
        a key will not stand. `is_paid` is false for a promise: there is no money to give back yet.
        """
        try:
            async with asyncio.timeout(TRY_S):
                stored = await self._store.void(order.id)
        except BaseException as error:
            self.owe_resolution(order, is_paid=is_paid)
            raise OutcomeUnknown from error
        finally:
            self._forget_item(order.item_id)
        if is_paid:
            if stored is None:
                await self.refund(order.id)
            else:
                self._payment.settle(order.id)
        return stored

    def owe_refund(self, order_id: str) -> None:
        self._owe(self._refund_later(order_id))

    def owe_resolution(self, order: Order, *, is_paid: bool = True) -> None:
        if order.key is None:
            self._owe(self._take_back_later(order))
        else:
            self.in_doubt[order.key] = order
            self._owe(self._learn_later(order, order.key, is_paid))

    async def none_owed(self) -> None:
        """Wait until nothing is owed."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> int:
        """Give up what is still owed, oldest first, and tell how much that is."""
        owed = list(self._tasks)
        for task in owed:
            task.cancel()
        await asyncio.gather(*owed, return_exceptions=True)
        return len(owed)

    def _owe(self, settling: "Awaitable[None]") -> None:
        task = asyncio.ensure_future(settling)
        self._tasks[task] = None
        task.add_done_callback(self._forget)
        self._observer.observe(MoneyOwed(self.owed))

    def _forget(self, task: "asyncio.Task[None]") -> None:
        self._tasks.pop(task, None)
        self._observer.observe(MoneyOwed(self.owed))

    async def _learn_later(self, order: Order, key: str, is_paid: bool) -> None:
        # An order that turns out to be stored stays sold: a repeat with its key may have been
        # answered with it meanwhile.
        stored = await self._at_store.until_done(lambda: self._store.void(order.id))
        if self.in_doubt.get(key) is order:
            del self.in_doubt[key]
        self._forget_item(order.item_id)
        if is_paid:
            if stored is None:
                await self._refund_later(order.id)
            else:
                self._payment.settle(order.id)

    async def _take_back_later(self, order: Order) -> None:
        await self._at_store.until_done(lambda: self._store.take_back(order.id))
        self._forget_item(order.item_id)
        await self._refund_later(order.id)

    async def _refund_later(self, order_id: str) -> None:
        await self._at_payment.until_done(lambda: self._payment.refund(order_id))


class _Tries:
    """All tries at one dependency, whatever is owed there."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._turns = Turns(AT_ONCE)
        self._long = LongTries(LONG_AT_ONCE)

    async def until_done(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What the first attempt gives that succeeds; safe to cancel."""
        task, failed = OwnTask(), 0

        async def in_turn() -> T:
            nonlocal failed
            async with self._turns.one(failed):
                try:
                    result = await apart(lambda: self._long.limit(attempt, failed))
                except BaseException:
                    failed += 1
                    self._turns.failed()
                    raise
                self._turns.succeeded()
                return result

        retrying = AsyncRetrying(
            # No fault of anybody's forgives a debt, not even one that would end the process; only
            # our own end does.
            retry=lambda state: bool(state.outcome and state.outcome.failed) and not task.is_ending,
            wait=self._wait_s,
            stop=stop_never,
            sleep=asyncio.sleep,
        )
        return await retrying(in_turn)

    def _wait_s(self, state: RetryCallState) -> float:
        return backoff_s(BACKOFF, state.attempt_number, state.upcoming_sleep, self._rng)
