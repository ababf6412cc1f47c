"""The composition root: the only place that knows settings, patterns and concrete parts alike.

    create_app(settings)   a whole service behind HTTP
    assemble(settings)     the same service without HTTP, on any clock: for simulation and tests
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from random import Random, SystemRandom
from typing import Any

from fastapi import FastAPI

from bpdemo.api.application import make_application
from bpdemo.api.door import DoorPolicy
from bpdemo.core.events import BreakerState, Dependency
from bpdemo.core.ports import NullTracer, Observer, SilentObserver, Store, Tracer
from bpdemo.core.settings import Settings
from bpdemo.downstream.faults import FaultyPayment, FaultyStore
from bpdemo.downstream.memory import MemoryStore
from bpdemo.downstream.payment import PaymentPolicy, SimulatedPayment
from bpdemo.service.box_office import BoxOffice
from bpdemo.slices import faults_of_payment, faults_of_store, payment_policy, tuning
from bpdemo.telemetry.fanout import Fanout
from bpdemo.telemetry.lag import LoopLagMeter
from bpdemo.telemetry.logs import TextTarget, make_logger
from bpdemo.telemetry.metrics import Metrics
from bpdemo.telemetry.order_log import OrderLog
from bpdemo.telemetry.traces import make_tracer

LOG_FLUSH_S = 1.0


class Assembly:
    """One service, put together; knows its settings and turns its knobs."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime] = partial(datetime.now, UTC),
        observer: Observer | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.settings = settings
        observer = observer or SilentObserver()
        rng_for = chance(settings.seed)
        self.bare_payment = SimulatedPayment(payment_policy(settings), rng_for("payment"), clock)
        self.payment = FaultyPayment(
            self.bare_payment, faults_of_payment(settings), rng_for("payment faults")
        )
        self.bare_store = make_store(settings, observer)
        self.store = FaultyStore(self.bare_store, faults_of_store(settings), rng_for("store faults"))
        self.office = BoxOffice(
            tuning(settings),
            self.payment,
            self.store,
            clock=clock,
            today=today,
            rng_for=rng_for,
            observer=observer,
            tracer=tracer or NullTracer(),
        )

    def turn(self, knobs: Mapping[str, Any]) -> None:
        """Turn live knobs, all of them or none. Raises `SettingsInvalid`."""
        settings = self.settings.changed(knobs)
        self.settings = settings
        self.bare_payment.policy = payment_policy(settings)
        self.payment.policy = faults_of_payment(settings)
        self.store.policy = faults_of_store(settings)
        self.office.retune(tuning(settings))


def make_store(settings: Settings, observer: Observer) -> Store:
    """The store that the settings ask for, not started."""
    if settings.store == "memory":
        return MemoryStore(settings.initial_stock)
    # asyncpg is imported only by those who use it: the demo mode starts faster.
    from bpdemo.downstream.embedded_store import EmbeddedStore
    from bpdemo.downstream.postgres import PoolPolicy, PostgresStore

    # Statements get as long as an attempt does: beyond that nobody waits for them.
    pool = PoolPolicy(
        settings.pool_min, settings.pool_max,
        settings.pool_acquire_timeout_s, settings.attempt_timeout_s,
    )  # fmt: skip
    stock = settings.initial_stock
    if settings.store == "embedded":
        return EmbeddedStore(pool, stock, observer)
    assert settings.database_url is not None, "Settings sees to it"
    return PostgresStore(settings.database_url.get_secret_value(), pool, stock, observer)


def chance(seed: int | None) -> Callable[[str], Random]:
    """A stream of chance for each name: the same for the same seed, whoever else draws."""
    root = SystemRandom().getrandbits(64) if seed is None else seed
    return lambda name: Random(f"{root} {name}")


def create_app(settings: Settings | None = None, *, log_stream: TextTarget | None = None) -> FastAPI:
    """The whole service. `app.state.assembly` leads to its parts, `app.state.drain` ends it gently.

    Logs go to `log_stream`, or to standard error.
    """
    settings = settings or Settings()
    clock = time.monotonic  # what asyncio's loops go by
    metrics = Metrics()
    log = make_logger(settings.log_format, settings.log_level, log_stream or sys.stderr)
    tracer = make_tracer(settings.traces, clock, stream=log_stream, log=log)
    order_log = OrderLog(log, tracer.ids)
    observer = Fanout(metrics, order_log, log=log)
    assembly = Assembly(settings, clock=clock, observer=observer, tracer=tracer)
    metrics.watch(_Gauges(assembly))
    lag = LoopLagMeter(observer)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            await assembly.office.start()
        except Exception as error:
            app.state.startup_error = error  # the server only tells that it failed
            raise
        chores = [asyncio.create_task(lag.run()), asyncio.create_task(_flush(order_log, clock))]
        try:
            yield
        finally:
            await assembly.office.drain(settings.drain_timeout_s)
            owed = await assembly.office.stop()
            if owed:
                log.error("refunds_owed_at_exit", count=owed)
            await _end(chores)
            order_log.flush(clock())
            await asyncio.to_thread(tracer.shutdown)

    app = make_application(
        assembly.office,
        assembly,
        DoorPolicy(settings.read_timeout_s, settings.max_body_bytes),
        render_metrics=metrics.render,
        observer=observer,
        tracer=tracer,
        log=log,
        clock=clock,
        rng=chance(None)("request ids"),
        lifespan=lifespan,
    )
    app.state.assembly = assembly
    app.state.startup_error = None
    app.state.tracer = tracer
    return app


class _Gauges:
    """What the metrics read at each scrape."""

    def __init__(self, assembly: Assembly) -> None:
        self._office = assembly.office
        self._store = assembly.bare_store

    @property
    def queue_depth(self) -> int:
        return self._office.queue_depth

    @property
    def queue_capacity(self) -> int:
        return self._office.queue_capacity

    @property
    def workers(self) -> int:
        return self._office.workers

    @property
    def workers_busy(self) -> int:
        return self._office.workers_busy

    @property
    def in_flight(self) -> int:
        return self._office.in_flight

    def breaker_states(self) -> Mapping[Dependency, BreakerState]:
        return self._office.breaker_states()

    def pool_counts(self) -> Mapping[str, int]:
        counts: Mapping[str, int] = getattr(self._store, "pool_counts", dict)()
        return counts


async def _flush(order_log: OrderLog, clock: Callable[[], float]) -> None:
    while True:
        await asyncio.sleep(LOG_FLUSH_S)
        order_log.flush(clock())


async def _end(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
