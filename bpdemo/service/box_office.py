"""The box office: the parts of one running service, put together, and their life in order."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from math import inf
from random import Random
from typing import Any

from bpdemo.core.capacity import nominal_capacity
from bpdemo.core.choices import ServiceState
from bpdemo.core.events import BreakerState, Dependency
from bpdemo.core.ports import Backlog, Observer, Payment, Store, Tracer
from bpdemo.core.snapshot import Snapshot
from bpdemo.flow.cache import ReadThroughCache
from bpdemo.flow.deadline import NEVER, Deadline
from bpdemo.flow.guard import Guard
from bpdemo.flow.pace import Pace
from bpdemo.flow.pool import WorkerPool
from bpdemo.flow.queue import BoundedQueue
from bpdemo.flow.retry_after import RetryAfter
from bpdemo.flow.seats import Seats
from bpdemo.service.acceptance import Acceptance
from bpdemo.service.advice import Advice
from bpdemo.service.catalogue import Catalogue
from bpdemo.service.debts import Debts
from bpdemo.service.gate import Gate
from bpdemo.service.guards import make_guard
from bpdemo.service.intake import Intake
from bpdemo.service.long_tries import TRY_S
from bpdemo.service.order_job import OrderJob
from bpdemo.service.tuning import Tuning
from bpdemo.service.wait_estimate import WaitEstimate
from bpdemo.service.work import GUARDED_CALLS, OrderWork


class BoxOffice:
    """One service: `start` it, let callers in through `gate` and `intake`, `drain`, `stop`."""

    def __init__(
        self,
        tuning: Tuning,
        payment: Payment,
        store: Store,
        *,
        clock: Callable[[], float],
        today: Callable[[], datetime],
        rng_for: Callable[[str], Random],
        observer: Observer,
        tracer: Tracer,
        pool_counts: Callable[[], Mapping[str, int]] = dict,
        backlog: Backlog | None = None,
        order_ids: Random | None = None,
    ) -> None:
        """`rng_for(name)` gives each part its own stream of chance: none disturbs another.

        With a `backlog` it can promise orders that durable workers keep later. `order_ids` mints
        their ids, and must not draw what another service of the same store does.

        `pool_counts` tells how many database connections are `idle` and `busy`.
        """
        self.state: ServiceState = "starting"
        self._pool_counts = pool_counts
        self._tuning = tuning
        self._clock = clock
        self._payment = payment
        self._store = store
        self._seats = seats = Seats(tuning.workers)
        self._queue: BoundedQueue[OrderJob] = BoundedQueue(
            tuning.queue, idle=lambda: seats.total - seats.busy, clock=clock, on_shed=self._on_shed
        )

        def guard(dependency: Dependency) -> Guard:
            return make_guard(
                dependency, tuning, clock=clock, rng_for=rng_for, observer=observer, tracer=tracer
            )

        self._payment_guard, self._store_guard = guard("payment"), guard("store")
        self._cache: ReadThroughCache[int, Any] = ReadThroughCache(tuning.cache, clock, observer)
        self._pace = pace = Pace(tuning.expected_service_s)
        estimate = WaitEstimate(self._queue, self._seats, pace)
        self.catalogue = Catalogue(store, self._store_guard, self._cache)
        self._debts = Debts(payment, store, rng_for("debts"), observer, self.catalogue.forget_item)
        work = OrderWork(
            self.catalogue, store, self._store_guard, payment, self._payment_guard, self._debts,
            clock=clock, today=today, rng=order_ids or rng_for("order ids"),
        )  # fmt: skip
        self._acceptance: Acceptance | None = None
        if backlog is not None:
            self._acceptance = Acceptance(
                work, backlog, self._debts, self._store_guard, tuning.async_queue_capacity,
                clock=clock,
            )  # fmt: skip
        self.gate = Gate(tuning.gate, clock, rng_for("limit"))
        self.intake = Intake(
            tuning.intake, self._queue, work, self._payment_guard.breaker, estimate, pace,
            self._acceptance, clock=clock, observer=observer, tracer=tracer,
        )  # fmt: skip
        self.advice = Advice(estimate, RetryAfter(clock, rng_for("retry after")))
        self._pool: WorkerPool[OrderJob] = WorkerPool(
            tuning.workers, self._queue, self.intake.run, self.intake.crash, self._seats
        )

    async def start(self) -> None:
        """Open: from here on callers are let in."""
        await self._store.start()
        self._pool.start()
        self.intake.is_open = True
        self.state = "open"

    async def drain(self, timeout_s: float, finish_s: float = inf) -> None:
        """Take nobody new, and finish what was admitted.

        After `timeout_s` the queued are shed; what was begun goes on for as long as its attempts
        may take, since money may have been taken for it, but for no more than `finish_s`.
        """
        if self.state != "open":
            return
        self.state = "draining"
        self.intake.close()
        grace_s = max(1.0, timeout_s)  # for what has no bound of its own
        if not await self._is_quiet_within(timeout_s):
            self.intake.shed_queued()
            await self._is_quiet_within(min(finish_s, self._longest_work_s() or grace_s))
        with suppress(TimeoutError):
            async with asyncio.timeout(min(finish_s, grace_s)):
                await self._debts.none_owed()

    async def stop(self) -> int:
        """End everything; drain first to lose nothing. Returns how many refunds are still owed."""
        self.intake.close()
        self.intake.shed_queued()
        await self._pool.stop()
        owed = await self._debts.stop()
        await self._store.stop()
        self.state = "stopped"
        return owed

    def retune(self, tuning: Tuning) -> None:
        """Turn the knobs, all in one step. No admitted order is lost."""
        self._tuning = tuning
        # First, since places are workers and capacity: the queue must not count old with new.
        self._seats.total = tuning.workers
        self.gate.retune(tuning.gate)
        self.intake.policy = tuning.intake
        self._queue.retune(tuning.queue)
        for guard in (self._payment_guard, self._store_guard):
            guard.policy = tuning.guard
            guard.budget.policy = tuning.budget
            guard.breaker.retune(tuning.breaker)
        self._cache.retune(tuning.cache)
        if self._acceptance:
            self._acceptance.capacity = tuning.async_queue_capacity
        self._pool.resize(tuning.workers)

    def deadline(self, now: float, client_timeout_s: float | None = None) -> Deadline:
        """The caller's patience, capped by the longest that is granted."""
        longest_s = self._tuning.request_timeout_s or inf
        allowed_s = min(longest_s, inf if client_timeout_s is None else client_timeout_s)
        return NEVER if allowed_s == inf else Deadline.after(allowed_s, now)

    def breaker_states(self) -> Mapping[Dependency, BreakerState]:
        return {
            "payment": self._payment_guard.breaker.state,
            "store": self._store_guard.breaker.state,
        }

    @property
    def can_promise(self) -> bool:
        """Whether a caller need not wait for their order to be sold."""
        return self._acceptance is not None

    @property
    def queue_depth(self) -> int:
        return self._queue.depth

    @property
    def queue_capacity(self) -> int:
        return self._queue.capacity

    @property
    def in_flight(self) -> int:
        return self.gate.in_flight

    @property
    def limit(self) -> float:
        """On orders in flight, as it stands; 0 for none."""
        limit = self.gate.limit
        return 0 if limit == inf else limit

    @property
    def workers(self) -> int:
        return self._seats.total

    @property
    def workers_busy(self) -> int:
        return self._seats.busy

    def snapshot(self) -> Snapshot:
        """How it stands."""
        books, paid = self.intake.books, self._payment.book
        return Snapshot(
            books={name: getattr(books, name) for name in books.__slots__},
            queue_depth=self.queue_depth,
            queue_capacity=self.queue_capacity,
            workers=self.workers,
            workers_busy=self.workers_busy,
            in_flight=self.in_flight,
            limit=self.limit,
            breakers=self.breaker_states(),
            charged=paid.charged,
            refunded=paid.refunded,
            connections=self._pool_counts(),
            nominal_capacity=nominal_capacity(self.workers, self._tuning.expected_service_s),
            mean_service_s=self._pace.mean_s,
        )

    def stats(self) -> dict[str, Any]:
        """How it stands, as `GET /stats` tells it."""
        return self.snapshot().as_stats()

    def _on_shed(self, job: OrderJob, waited_s: float) -> None:
        self.intake.shed(job, waited_s)

    async def _is_quiet_within(self, timeout_s: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.intake.quiet.wait()
        return self.intake.quiet.is_set()

    def _longest_work_s(self) -> float:
        """Every attempt of every call, with the waits between, then a void and a refund.

        0 if nothing bounds an attempt.
        """
        guard = self._tuning.guard
        if not guard.attempt_timeout_s:
            return 0.0
        each_s = guard.attempt_timeout_s + guard.backoff.cap_s
        return GUARDED_CALLS * guard.backoff.attempts * each_s + 2 * TRY_S
