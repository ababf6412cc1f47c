"""One service put together from its settings: on any clock, with no HTTP around it.

The application builds on it, and so do the simulation and the tests, which run it in virtual time.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from random import Random, SystemRandom
from typing import Any, NamedTuple, Protocol, runtime_checkable

from bpdemo.assembly.slices import (
    connection_pool,
    faults_of_payment,
    faults_of_store,
    payment_policy,
    tuning,
)
from bpdemo.assembly.traced_store import TracedStore
from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.ports import Backlog, NullTracer, Observer, SilentObserver, Store, Tracer
from bpdemo.core.settings import Settings
from bpdemo.downstream.faults import FaultyBacklog, FaultyPayment, FaultyStore
from bpdemo.downstream.memory import MemoryStore
from bpdemo.downstream.payment import SimulatedPayment
from bpdemo.downstream.pooled import PooledStore
from bpdemo.service.box_office import BoxOffice


class Storage(NamedTuple):
    """Where orders live, and where they may be promised: nowhere, for those in memory."""

    store: Store
    backlog: Backlog | None = None


def in_memory(settings: Settings, _: Observer) -> Storage:
    """The store of the demo mode and of virtual time. Raises `SettingsInvalid` for any other."""
    if settings.store != "memory":
        raise SettingsInvalid("store", f"{settings.store!r} needs a database: see storage.py")
    return Storage(MemoryStore(settings.initial_stock))


@runtime_checkable
class Retuned(Protocol):
    """A store whose statements have a limit of their own."""

    def retune(self, statement_timeout_s: float) -> None: ...


class Assembly:
    """The parts of one service. It knows the settings and turns the knobs."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
        observer: Observer | None = None,
        tracer: Tracer | None = None,
        warn: Callable[[str], None] = lambda _: None,
        make_storage: Callable[[Settings, Observer], Storage] = in_memory,
    ) -> None:
        """`clock` must be that of the event loop it will run on; `today` stamps the orders.

        `make_storage` makes the store, not started: a database's is handed in, so that nothing
        here leads to its driver. `warn` hears what the settings warn of, now and when they are
        turned.
        """
        self.settings = settings
        self._warn = warn
        for warning in settings.warnings:
            warn(warning)
        observer = observer or SilentObserver()
        rng_for = chance(settings.seed)
        self.provider = SimulatedPayment(payment_policy(settings), rng_for("payment"), clock)
        self.payment = FaultyPayment(
            self.provider, faults_of_payment(settings), rng_for("payment faults")
        )
        self.bare_store, backlog = make_storage(settings, observer)
        store = self.bare_store
        if tracer is not None and settings.traces != "off" and settings.store != "memory":
            store = TracedStore(store, tracer)
        faults = faults_of_store(settings), rng_for("store faults")
        pool_counts = getattr(self.bare_store, "pool_counts", dict)
        # A database brings its own pool; the store in memory has one if it is asked for.
        if settings.store == "memory" and "pool_max" in settings.model_fields_set:
            pool = connection_pool(settings, observer)
            self.store: FaultyStore = PooledStore(store, *faults, pool)
            pool_counts = pool.counts
        else:
            self.store = FaultyStore(store, *faults)
        # Where others store their orders too, an id must be new to all, and two may share a seed.
        minting = rng_for if settings.store == "memory" else chance(None)
        self.backlog: FaultyBacklog | None = None
        if backlog is not None:
            self.backlog = FaultyBacklog(
                backlog, faults_of_store(settings), rng_for("backlog faults")
            )
        self.office = BoxOffice(
            tuning(settings),
            self.payment,
            self.store,
            clock=clock,
            today=today,
            rng_for=rng_for,
            observer=observer,
            tracer=tracer or NullTracer(),
            pool_counts=pool_counts,
            backlog=self.backlog,
            order_ids=minting("order ids"),
        )

    @property
    def database_url(self) -> str | None:
        """Where its PostgreSQL listens; None for a memory store."""
        return getattr(self.bare_store, "dsn", None)

    def turn(self, knobs: Mapping[str, Any]) -> None:
        """Turn live knobs, all of them or none. Raises `SettingsInvalid`."""
        settings = self.settings.changed(knobs)
        for warning in settings.warnings:
            if warning not in self.settings.warnings:
                self._warn(warning)
        self.settings = settings
        self.provider.policy = payment_policy(settings)
        self.payment.policy = faults_of_payment(settings)
        self.store.policy = faults_of_store(settings)
        if self.backlog:
            self.backlog.policy = faults_of_store(settings)
        if isinstance(self.bare_store, Retuned):
            self.bare_store.retune(settings.attempt_timeout_s)
        self.office.retune(tuning(settings))


def chance(seed: int | None) -> Callable[[str], Random]:
    """A stream of chance for each name: the same for the same seed, no matter who else draws."""
    root = SystemRandom().getrandbits(64) if seed is None else seed
    return lambda name: Random(f"{root} {name}")
