"""Faults on demand, in front of any store or payment, and changed while it runs."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from bpdemo.core.errors import DependencyError
from bpdemo.core.model import Item, Order, PaymentBook, Placed
from bpdemo.core.ports import Backlog, Payment, Store
from bpdemo.core.ranges import require_flag, require_number
from bpdemo.downstream.pause import Pause


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPolicy:
    """`latency_s` before each call, a share of failures, or an outage: failing at once.

    A share of the payments, `hang_rate`, is done and never answered.
    """

    latency_s: float
    failure_rate: float
    hang_rate: float
    outage: bool

    def __post_init__(self) -> None:
        require_number("latency_s", self.latency_s)
        require_number("failure_rate", self.failure_rate, 0, 1)
        require_number("hang_rate", self.hang_rate, 0, 1)
        require_flag("outage", self.outage)


NO_FAULTS = FaultPolicy(latency_s=0.0, failure_rate=0.0, hang_rate=0.0, outage=False)


class _Faulty:
    """Assign `policy` to change what befalls later calls."""

    def __init__(self, policy: FaultPolicy, rng: Random) -> None:
        self._rng = rng
        self._pause = Pause()
        self.policy = policy

    @property
    def policy(self) -> FaultPolicy:
        return self._policy

    @policy.setter
    def policy(self, policy: FaultPolicy) -> None:
        self._policy = policy
        self._calm = policy == NO_FAULTS

    async def _befall_read(self) -> None:
        if await self._befall():
            raise DependencyError("Injected failure.")

    async def _befall_write(self) -> bool:
        """True when the call shall be made and its answer lost: the caller cannot tell which.

        Half of the failures strike before the call and half after it, so that repeating a call
        that did happen is what every lossy run exercises.
        """
        if not await self._befall():
            return False
        if self._rng.random() < 0.5:
            raise DependencyError("Injected failure: the request was lost.")
        return True

    async def _befall(self) -> bool:
        policy = self._policy
        if policy.outage:
            raise DependencyError("Injected outage.", asked=False)
        await self._pause.take(policy.latency_s)
        return policy.failure_rate > 0 and self._rng.random() < policy.failure_rate


def _lose_answer() -> DependencyError:
    return DependencyError("Injected failure: it was done, but the answer was lost.")


class FaultyStore(_Faulty):
    """A store with faults before it; starting and stopping are spared."""

    def __init__(self, store: Store, policy: FaultPolicy, rng: Random) -> None:
        super().__init__(policy, rng)
        self._store = store

    async def start(self) -> None:
        await self._store.start()

    async def stop(self) -> None:
        await self._store.stop()

    async def list_items(self, limit: int, after: int) -> Sequence[Item]:
        if not self._calm:
            await self._befall_read()
        return await self._store.list_items(limit, after)

    async def find_item(self, item_id: int) -> Item | None:
        if not self._calm:
            await self._befall_read()
        return await self._store.find_item(item_id)

    async def find_order(self, order_id: str) -> Order | None:
        if not self._calm:
            await self._befall_read()
        return await self._store.find_order(order_id)

    async def find_order_by_key(self, key: str) -> Order | None:
        if not self._calm:
            await self._befall_read()
        return await self._store.find_order_by_key(key)

    def place(self, order: Order) -> Coroutine[Any, Any, Placed]:
        return self._store.place(order) if self._calm else self._place(order)

    async def _place(self, order: Order) -> Placed:
        lost = await self._befall_write()
        placed = await self._store.place(order)
        if lost:
            raise _lose_answer()
        return placed

    async def void(self, order_id: str) -> Order | None:
        lost = not self._calm and await self._befall_write()
        order = await self._store.void(order_id)
        if lost:
            raise _lose_answer()
        return order

    async def take_back(self, order_id: str) -> None:
        lost = not self._calm and await self._befall_write()
        await self._store.take_back(order_id)
        if lost:
            raise _lose_answer()


class FaultyBacklog(_Faulty):
    """A backlog with faults before it: those of the store, whose database it shares."""

    def __init__(self, backlog: Backlog, policy: FaultPolicy, rng: Random) -> None:
        super().__init__(policy, rng)
        self._backlog = backlog

    async def accept(self, order: Order, capacity: int) -> Order:
        lost = not self._calm and await self._befall_write()
        accepted = await self._backlog.accept(order, capacity)
        if lost:
            raise _lose_answer()
        return accepted

    async def confirm(self, order_id: str) -> Placed | None:
        lost = not self._calm and await self._befall_write()
        placed = await self._backlog.confirm(order_id)
        if lost:
            raise _lose_answer()
        return placed

    async def count_try(self, order_id: str) -> int:
        lost = not self._calm and await self._befall_write()
        tries = await self._backlog.count_try(order_id)
        if lost:
            raise _lose_answer()
        return tries

    async def fail(self, order_id: str, reason: str) -> Order | None:
        lost = not self._calm and await self._befall_write()
        order = await self._backlog.fail(order_id, reason)
        if lost:
            raise _lose_answer()
        return order

    async def settle(self, order_id: str) -> None:
        lost = not self._calm and await self._befall_write()
        await self._backlog.settle(order_id)
        if lost:
            raise _lose_answer()

    async def depth(self) -> int:
        if not self._calm:
            await self._befall_read()
        return await self._backlog.depth()

    async def requeue_lost(self) -> int:
        if not self._calm:
            await self._befall_read()
        return await self._backlog.requeue_lost()


class FaultyPayment(_Faulty):
    """A payment with faults before it."""

    def __init__(self, payment: Payment, policy: FaultPolicy, rng: Random) -> None:
        super().__init__(policy, rng)
        self._payment = payment

    @property
    def book(self) -> PaymentBook:
        return self._payment.book

    def charge(self, key: str, amount_cents: int) -> Coroutine[Any, Any, None]:
        if self._calm:  # then nothing stands in between, not even a coroutine
            return self._payment.charge(key, amount_cents)
        return self._charge(key, amount_cents)

    async def _charge(self, key: str, amount_cents: int) -> None:
        lost = await self._befall_write()
        await self._payment.charge(key, amount_cents)
        if lost:
            raise _lose_answer()
        await self._hang_sometimes()

    def settle(self, key: str) -> None:
        self._payment.settle(key)

    async def refund(self, key: str) -> None:
        lost = not self._calm and await self._befall_write()
        await self._payment.refund(key)
        if lost:
            raise _lose_answer()
        if not self._calm:
            await self._hang_sometimes()

    async def _hang_sometimes(self) -> None:
        """The answer of some never comes: their caller must give up by itself."""
        hang_rate = self._policy.hang_rate
        if hang_rate > 0 and self._rng.random() < hang_rate:
            await asyncio.get_running_loop().create_future()
