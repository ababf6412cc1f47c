"""The durable worker: the parts that keep what a service has promised, put together, with no HTTP.

Any number of them may share one database with any number of services, on any machine.
"""

import asyncio
import time
from collections.abc import Callable

from bpdemo.assembly.office import chance
from bpdemo.assembly.slices import faults_of_payment, faults_of_store, payment_policy, tuning
from bpdemo.assembly.storage import postgres_for
from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.events import Dependency
from bpdemo.core.settings import Settings
from bpdemo.downstream.faults import FaultyBacklog, FaultyPayment, FaultyStore
from bpdemo.flow.cache import ReadThroughCache
from bpdemo.flow.guard import Guard
from bpdemo.service.catalogue import Catalogue
from bpdemo.service.durable_work import DurableWork, refunds_at_once
from bpdemo.service.guards import make_guard
from bpdemo.telemetry.fanout import Fanout
from bpdemo.telemetry.identity import identified
from bpdemo.telemetry.logs import TextTarget, make_logger
from bpdemo.telemetry.order_log import OrderLog
from bpdemo.telemetry.standard_error import standard_error
from bpdemo.telemetry.tracer import make_tracer

#: How often to look for promises that no queue knows of any more.
SWEEP_S = 5.0
#: How long work that is left to others may take to notice.
ABANDON_S = 2.0
NO_POOLER = (
    "leads to a connection pooler such as PgBouncer, and a worker listens for its jobs, which takes"
    " a session of its own: give it the address of the database itself (the service may keep this)"
)


class DurableWorker:
    """Processes promised orders, `settings.workers` at a time, each call behind its guard."""

    def __init__(
        self, settings: Settings, name: str, *, log_stream: TextTarget | None = None
    ) -> None:
        """Raises `SettingsInvalid` unless the store is a PostgreSQL that others share."""
        if settings.store != "postgres":
            raise SettingsInvalid(
                "store",
                f"{settings.store} holds no orders that a worker could reach: "
                "set store=postgres and database_url to what the service has",
            )
        from bpdemo.downstream.backlog import PostgresBacklog
        from bpdemo.downstream.consumer import Consumer
        from bpdemo.downstream.durable_ledger import LedgerPayment

        clock, rng_for = time.monotonic, chance(settings.seed)
        # A full pipe must not stop the loop: its heartbeats would end, and others take its orders.
        stream = log_stream or standard_error()
        log = make_logger(settings.log_format, settings.log_level, stream)
        self.settings = settings
        self.log = identified(log, settings.log_format).bind(worker=name)
        self._tracer = make_tracer(settings.traces, clock, stream=log_stream, log=self.log)
        observer = Fanout(OrderLog(self.log, self._tracer.ids), log=self.log)
        bare_store = self._bare_store = postgres_for(settings, observer)
        faults = faults_of_store(settings)
        backlog = FaultyBacklog(PostgresBacklog(bare_store), faults, rng_for("backlog faults"))
        self.store = FaultyStore(bare_store, faults, rng_for("store faults"))
        self._backlog = backlog
        ledger = LedgerPayment(bare_store, payment_policy(settings), rng_for("payment"))
        payment = FaultyPayment(ledger, faults_of_payment(settings), rng_for("payment faults"))
        turned = tuning(settings)

        def guard(dependency: Dependency) -> Guard:
            return make_guard(
                dependency, turned,
                clock=clock, rng_for=rng_for, observer=observer, tracer=self._tracer,
            )  # fmt: skip

        store_guard = guard("store")
        self.work = DurableWork(
            Catalogue(self.store, store_guard, ReadThroughCache(turned.cache, clock, observer)),
            self.store, backlog, store_guard, payment, guard("payment"),
            clock=clock, rng=rng_for("give back"), observer=observer,
            refunds_at_once=refunds_at_once(settings.workers),
            long_refunds=max(1, settings.workers // 2),
        )  # fmt: skip
        self._consumer = Consumer(bare_store.dsn, settings.workers, self.work.work, self._on_outage)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Finish what was begun, give back the rest. On the worker's own loop."""
        self._stopping.set()

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Work until stopped, then for `drain_timeout_s` at most: what is unfinished then is left
        to others. Raises `SettingsInvalid` when the database cannot be used.
        """
        await self.store.start()
        if self._bare_store.is_pooled:
            await self.store.stop()
            raise SettingsInvalid("database_url", NO_POOLER)
        sweeping = asyncio.create_task(self._sweep())
        consuming = asyncio.create_task(self._consumer.run(on_ready))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((consuming, stopping), return_when=asyncio.FIRST_COMPLETED)
            self._consumer.stop()
            if not await self._ends_within(consuming, self.settings.drain_timeout_s):
                self.log.warning("left_to_others")
                await self._abandon(consuming)
            else:
                await consuming
        finally:
            for chore in (sweeping, stopping):
                chore.cancel()
            await asyncio.gather(sweeping, stopping, return_exceptions=True)
            await self.store.stop()
            await asyncio.to_thread(self._tracer.shutdown)

    async def _abandon(self, consuming: "asyncio.Task[None]") -> None:
        # In this order: PgQueuer takes a job that is cancelled for done, and would say so. Cut off
        # from the database it cannot; others have the jobs when our heartbeat has ended.
        self._consumer.cut()
        consuming.cancel()
        await self._ends_within(consuming, ABANDON_S)

    async def _ends_within(self, task: "asyncio.Task[None]", seconds: float) -> bool:
        done, _ = await asyncio.wait((task,), timeout=seconds)
        return bool(done)

    async def _sweep(self) -> None:
        while True:
            try:
                if found := await self._backlog.requeue_lost():
                    self.log.warning("requeued", count=found)
            except Exception as error:  # a database that is away; the next round may find it back
                self.log.warning("sweep_failed", error=type(error).__name__)
            await asyncio.sleep(SWEEP_S)

    def _on_outage(self, error: Exception) -> None:
        self.log.warning("database_away", error=type(error).__name__)
