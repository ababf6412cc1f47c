"""What we owe when a sale goes wrong half-way: to learn what was stored, and to give money back.

An attempt whose answer was lost has happened or not. So a failed charge is refunded, which bars it
if it never arrived; a failed `place` is voided, which tells whether it had succeeded. What cannot
be settled at once is owed, and tried until done: outside breaker and budget, a few at a time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_not_exception_type, stop_never

from bpdemo.core.errors import DependencyError, Refused
from bpdemo.core.events import MoneyOwed
from bpdemo.core.model import Order
from bpdemo.core.ports import Observer, Payment, Store
from bpdemo.flow.backoff import BackoffPolicy, backoff_s

T = TypeVar("T")

AT_ONCE = 8
#: How long the first try may take, whatever the settings allow an attempt. Each later one may take
#: twice as long as the one before, up to the longest: a slow provider must not be owed for ever.
TRY_S = 1.0
LONGEST_TRY_S = 60.0
BACKOFF = BackoffPolicy(base_s=0.1, cap_s=1.0, jitter="equal")


class Debts:
    """Settles sales that failed after charging had begun."""

    def __init__(self, payment: Payment, store: Store, rng: Random, observer: Observer) -> None:
        self._payment = payment
        self._store = store
        self._rng = rng
        self._observer = observer
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(AT_ONCE)

    @property
    def owed(self) -> int:
        return len(self._tasks)

    async def refund(self, order_id: str) -> None:
        """Give the money back, now if that works, else later."""
        try:
            await self._refund(order_id)
        except (DependencyError, TimeoutError):
            self.owe_refund(order_id)
        except BaseException:
            self.owe_refund(order_id)
            raise

    async def resolve(self, order: Order) -> Order | None:
        """The order if it is stored after all; else None, and the money goes back."""
        try:
            stored = await self._void(order.id)
        except (DependencyError, Refused, TimeoutError):
            self.owe_resolution(order.id)
            return None
        except BaseException:
            self.owe_resolution(order.id)
            raise
        if stored is None:
            await self.refund(order.id)
        else:
            self._payment.settle(order.id)
        return stored

    def owe_refund(self, order_id: str) -> None:
        self._owe(self._refund_later(order_id))

    def owe_resolution(self, order_id: str) -> None:
        self._owe(self._resolve_later(order_id))

    async def settled(self) -> None:
        """Wait until nothing is owed."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> int:
        """Give up what is still owed, and tell how much that is."""
        owed = list(self._tasks)
        for task in owed:
            task.cancel()
        await asyncio.gather(*owed, return_exceptions=True)
        return len(owed)

    def _owe(self, settling: "Awaitable[None]") -> None:
        task = asyncio.ensure_future(settling)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        self._observer.observe(MoneyOwed(self.owed))

    def _forget(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._observer.observe(MoneyOwed(self.owed))

    async def _resolve_later(self, order_id: str) -> None:
        # An order that turns out to be stored stays sold: a repeat with its key may have been
        # answered with it meanwhile.
        if await self._until_done(lambda try_s: self._void(order_id, try_s)) is None:
            await self._refund_later(order_id)
        else:
            self._payment.settle(order_id)

    async def _refund_later(self, order_id: str) -> None:
        await self._until_done(lambda try_s: self._refund(order_id, try_s))

    async def _refund(self, order_id: str, try_s: float = TRY_S) -> None:
        async with asyncio.timeout(try_s):
            await self._payment.refund(order_id)

    async def _void(self, order_id: str, try_s: float = TRY_S) -> Order | None:
        async with asyncio.timeout(try_s):
            return await self._store.void(order_id)

    async def _until_done(self, attempt: Callable[[float], Awaitable[T]]) -> T:
        try_s = TRY_S

        async def in_turn() -> T:
            nonlocal try_s
            try_s = min(2 * try_s, LONGEST_TRY_S)
            async with self._turn:
                return await attempt(try_s)

        retrying = AsyncRetrying(
            # No fault of anybody's forgives a debt, not even one that would end the process.
            retry=retry_if_not_exception_type((asyncio.CancelledError, GeneratorExit)),
            wait=self._wait_s,
            stop=stop_never,
            sleep=asyncio.sleep,
        )
        return await retrying(in_turn)

    def _wait_s(self, state: RetryCallState) -> float:
        return backoff_s(BACKOFF, state.attempt_number, state.upcoming_sleep, self._rng)
