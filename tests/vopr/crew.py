"""Durable workers: they bring promised orders to their end, and they die, freeze, and are replaced.

A worker holds a lease on what it works at and renews it with its heartbeats. One that dies leaves
its lease to run out; one that freezes does as well, and goes on all the same: then two work at
one order.
"""

import asyncio
from contextlib import suppress
from random import Random
from typing import Any

from bpdemo.assembly.office import Assembly, chance
from bpdemo.assembly.slices import faults_of_payment, tuning
from bpdemo.core.events import Dependency
from bpdemo.core.ports import NullTracer, SilentObserver
from bpdemo.downstream.faults import FaultyPayment
from bpdemo.flow.cache import ReadThroughCache
from bpdemo.flow.guard import Guard
from bpdemo.service.catalogue import Catalogue
from bpdemo.service.durable_work import DurableWork
from bpdemo.service.guards import make_guard
from tests.vopr.backlog import PromisingStore, Ticket
from tests.vopr.ledger import MemoryLedger

WORKERS = 3
LEASE_S = 5.0
HEARTBEAT_S = 2.0
SWEEP_S = 5.0


class Worker:
    """One process of its own, as far as memory goes: its guards and its cache are nobody else's."""

    def __init__(self, work: DurableWork, store: PromisingStore, clock: Any) -> None:
        self.is_frozen = False
        self._work = work
        self._clock = clock
        self._store = store
        self._task = asyncio.create_task(self._run(), name="durable worker")

    @property
    def task(self) -> "asyncio.Task[None]":
        return self._task

    @property
    def is_dead(self) -> bool:
        return self._task.done()

    def kill(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        with suppress(BaseException):  # what ends a process ends this one, and not the world
            while True:
                ticket = self._store.take(self, LEASE_S)
                if ticket is None:
                    await self._wait()
                else:
                    await self._handle(ticket)

    async def _wait(self) -> None:
        self._store.changed.clear()
        with suppress(TimeoutError):
            due_in_s = self._store.next_due_in_s()
            async with asyncio.timeout(None if due_in_s > 1e9 else due_in_s + 1e-6):
                await self._store.changed.wait()

    async def _handle(self, ticket: Ticket) -> None:
        heart = asyncio.create_task(self._beat(), name="heartbeat")
        try:
            age_s = self._clock() - ticket.since_s
            again_in_s = await self._work.work(ticket.order_id, ticket.given_back, age_s)
        finally:
            heart.cancel()
        self._store.done(ticket, self, again_in_s)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            if not self.is_frozen:
                self._store.renew(self, LEASE_S)


class Crew:
    """All durable workers of a world, and the sweeper that finds promises no queue knows of."""

    def __init__(self, assembly: Assembly, store: PromisingStore, clock: Any, seed: int) -> None:
        self._assembly = assembly
        self._store = store
        self._clock = clock
        self._seed = seed
        self._hired = 0
        self.ledger = MemoryLedger(lambda: assembly.settings.payment_latency_s)
        self.payment = FaultyPayment(
            self.ledger, faults_of_payment(assembly.settings), Random(f"ledger {seed}")
        )
        self.workers: list[Worker] = []
        self._sweeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        for _ in range(WORKERS):
            self._hire()
        self._sweeper = asyncio.create_task(self._sweep(), name="sweeper")

    def turned(self) -> None:
        self.payment.policy = faults_of_payment(self._assembly.settings)

    def kill(self, n: int) -> None:
        self.workers[n % WORKERS].kill()

    def freeze(self, n: int) -> None:
        self.workers[n % WORKERS].is_frozen = True

    def thaw(self) -> None:
        for worker in self.workers:
            worker.is_frozen = False

    def replace_dead(self) -> None:
        for worker in [worker for worker in self.workers if worker.is_dead]:
            self.workers.remove(worker)
            self._hire()

    @property
    def tasks(self) -> set["asyncio.Task[None]"]:
        own = {worker.task for worker in self.workers}
        return own | ({self._sweeper} if self._sweeper else set())

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.replace_dead()
            await self._store.requeue_lost()
            if not self._store.unsettled:
                self._store.changed.clear()
                await self._store.changed.wait()

    def _hire(self) -> None:
        self._hired += 1
        self.workers.append(Worker(self._make_work(), self._store, self._clock))

    def _make_work(self) -> DurableWork:
        assembly, observer, clock = self._assembly, SilentObserver(), self._clock
        turned, rng_for = tuning(assembly.settings), chance(self._seed * 1000 + self._hired)

        def guard(dependency: Dependency) -> Guard:
            return make_guard(
                dependency, turned,
                clock=clock, rng_for=rng_for, observer=observer, tracer=NullTracer(),
            )  # fmt: skip

        assert assembly.backlog is not None
        store_guard = guard("store")
        cache: ReadThroughCache[int, Any] = ReadThroughCache(turned.cache, clock, observer)
        return DurableWork(
            Catalogue(assembly.store, store_guard, cache),
            assembly.store, assembly.backlog, store_guard, self.payment, guard("payment"),
            clock=clock, rng=rng_for("give back"), observer=observer,
        )  # fmt: skip
