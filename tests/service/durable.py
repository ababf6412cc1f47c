"""A durable worker beside a backlog in memory, its payment at the test's mercy, in virtual time."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

from bpdemo.assembly import slices
from bpdemo.core.errors import BoxOfficeError
from bpdemo.core.events import DurableOrderEnded
from bpdemo.core.model import Order, PaymentBook
from bpdemo.core.ports import NullTracer
from bpdemo.core.settings import Settings
from bpdemo.downstream.memory import MemoryStore
from bpdemo.flow.cache import ReadThroughCache
from bpdemo.flow.guard import Guard
from bpdemo.service.catalogue import Catalogue
from bpdemo.service.durable_work import DurableWork, refunds_at_once
from bpdemo.service.guards import make_guard
from tests.flow.helpers import Ears, now
from tests.support.memory_backlog import MemoryBacklog

Fate = Callable[[str], Awaitable[None]]


async def well(key: str) -> None:
    """An answer after 40 ms."""
    await asyncio.sleep(0.04)


class Provider:
    """A payment that is asked with the order's id; `on_charge` and `on_refund` say what follows.

    As one that works at the end of its latency: a call that was given up has done nothing.
    """

    def __init__(self) -> None:
        self.book = PaymentBook()
        self.on_charge: Fate = well
        self.on_refund: Fate = well
        self.charged: set[str] = set()
        self.refunded: set[str] = set()
        self.asked: Counter[str] = Counter()  # of the calls that left us, the failed
        self.refund_calls: list[tuple[float, str]] = []

    async def charge(self, key: str, amount_cents: int) -> None:
        try:
            await self.on_charge(key)
        except BaseException as error:
            self.asked[key] += not _never_left(error)
            raise
        self.charged.add(key)

    async def refund(self, key: str) -> None:
        self.refund_calls.append((now(), key))
        await self.on_refund(key)
        self.refunded.add(key)

    def settle(self, key: str) -> None:
        """It forgets nothing."""


def _never_left(error: BaseException) -> bool:
    return getattr(error, "asked", True) is False or (
        isinstance(error, BoxOfficeError) and error.reason == "pool_exhausted"
    )


class Shift:
    """One worker with `places`, and all the orders that it was promised."""

    def __init__(
        self, orders: int, *, places: int = 8, long_refunds: int = 4, **knobs: Any
    ) -> None:
        self.store = MemoryStore(1000)
        self.backlog = MemoryBacklog(self.store)
        self.provider = Provider()
        self.ears = Ears()
        self.ended_s: dict[str, float] = {}
        self.ids = [f"o{n}" for n in range(orders)]
        self._places = asyncio.Semaphore(places)
        tuned = slices.tuning(Settings(**knobs))
        clock = asyncio.get_running_loop().time

        def guard(name: Any) -> Guard:
            return make_guard(
                name, tuned, clock=clock, rng_for=Random, observer=self.ears, tracer=NullTracer()
            )

        self.store_guard, self.payment_guard = guard("store"), guard("payment")
        cache: ReadThroughCache[int, Any] = ReadThroughCache(tuned.cache, clock, self.ears)
        self.work = DurableWork(
            Catalogue(self.store, self.store_guard, cache),
            self.store, self.backlog, self.store_guard, self.provider, self.payment_guard,
            clock=clock, rng=Random(1), observer=self.ears,
            refunds_at_once=refunds_at_once(places), long_refunds=long_refunds,
        )  # fmt: skip

    async def promise(self, *ids: str) -> None:
        for id in ids or self.ids:
            order = Order(id, 1, 1, 4500, datetime(2026, 1, 1, tzinfo=UTC), f"key of {id}")
            await self.backlog.accept(order, 10_000)

    def standing(self, id: str) -> Order:
        return self.store._orders[id]

    def outcomes(self, id: str) -> list[str]:
        return [e.outcome for e in self.ears.heard(DurableOrderEnded) if e.order_id == id]

    async def keep(self, id: str, *, for_s: float = 80_000.0) -> None:
        """Work on the order, as a consumer would, until it is over."""
        began_s, given_back = now(), 0
        while now() - began_s < for_s:
            async with self._places:
                after_s = await self.work.work(id, given_back, now() - began_s)
            given_back += 1
            if after_s is None:
                self.ended_s[id] = now() - began_s
                return
            await asyncio.sleep(after_s)

    async def keep_all(self) -> None:
        await self.promise()
        await asyncio.gather(*map(self.keep, self.ids))
