"""The service of one world, put together, with somebody standing at everything it deals with."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from bpdemo.assembly.office import Assembly, Storage, in_memory
from bpdemo.core.model import Order
from bpdemo.core.settings import Settings
from tests.vopr import knobs
from tests.vopr.anatomy import Anatomy
from tests.vopr.backlog import PromisingStore
from tests.vopr.breakers import WatchedBreaker
from tests.vopr.chaos import Chaos
from tests.vopr.crew import Crew
from tests.vopr.doorway import Doorway
from tests.vopr.guards import GuardWatch
from tests.vopr.loop import WatchedLoop
from tests.vopr.moments import Moments
from tests.vopr.script import Script
from tests.vopr.truth import JOB, Truth
from tests.vopr.twin import TwinDoorway
from tests.vopr.verdicts import Diary, Verdicts

BEGINNING = datetime(2030, 1, 1, tzinfo=UTC)
STORE_CALLS = (
    "place", "void", "take_back", "find_item", "find_order", "find_order_by_key", "list_items",
)  # fmt: skip
BACKLOG_CALLS = ("accept", "confirm", "fail", "settle")
PAYMENT_CALLS = ("charge", "refund")


class Stage:
    """Everything there is in a world, before anything happens in it."""

    def __init__(self, script: Script, *, wall_jumps: bool, sums: bool, full: bool) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WatchedLoop)
        self.loop, self.script = loop, script
        self.verdicts = Verdicts(loop.time)
        self.diary = Diary(loop.time, sums=sums, full=full)
        self.moments = Moments(loop, self.verdicts, self.diary)
        self.chaos = Chaos(loop, script.seed)
        self.wall_s, self.wall_jumps = 0.0, wall_jumps
        loop.set_exception_handler(self._hear_noise)
        self._put_together()
        self._stand_before_dependencies()
        self._watch_work()
        self.moments.open(self.anatomy, self.truth, self.doorway.entrance, self.guards)

    def _put_together(self) -> None:
        settings, clock = knobs.WorldSettings(**self.script.knobs), self.loop.time
        self.assembly = self._assemble(settings)
        self.store: Any = self.assembly.bare_store
        self.office, self.anatomy = self.assembly.office, Anatomy(self.assembly.office)
        self.base = {name: getattr(settings, name) for name in knobs.LATENCIES}
        self.truth = Truth(self.store, self.assembly.provider)
        kind = TwinDoorway if self.script.kind == "twin" else Doorway
        self.doorway = kind(self.anatomy, clock, self.verdicts, self.diary)
        self.doorway.may_cancel = any(
            act.kind in ("break", "crash") and act.what["error"] in ("cancelled", "any")
            for act in self.script.acts
        )
        guards = self.anatomy.guards
        self.guards = GuardWatch(guards, clock, self.verdicts)
        self.breakers: dict[str, WatchedBreaker] = {}
        for name, guard in guards.items():
            watched = WatchedBreaker(guard.breaker, name, clock, self.verdicts)
            self.breakers[name] = guard.breaker = watched  # type: ignore[assignment]

    def _assemble(self, settings: Settings) -> Assembly:
        clock = self.loop.time

        def promising(settings: Settings, _: object) -> Storage:
            # A memory store has no backlog; these worlds have one that keeps promises in memory.
            store = PromisingStore(settings.initial_stock, clock)
            return Storage(store, store)

        return Assembly(
            settings,
            clock=clock,
            today=self.today,
            observer=self.moments,
            make_storage=promising if self.script.kind == "promises" else in_memory,
        )

    def _stand_before_dependencies(self) -> None:
        assembly, chaos, store = self.assembly, self.chaos, self.store
        self.crew: Crew | None = None
        if assembly.backlog is not None:
            self.crew = crew = Crew(assembly, store, self.loop.time, self.script.seed)
            chaos.stand_before(assembly.backlog, "backlog", BACKLOG_CALLS, store)
            chaos.stand_before(crew.payment, "payment", PAYMENT_CALLS, crew.ledger)
        chaos.stand_before(assembly.payment, "payment", PAYMENT_CALLS, assembly.provider)
        chaos.stand_before(assembly.store, "store", STORE_CALLS, store)
        self.truth.note_answers(assembly.store)

    def _watch_work(self) -> None:
        """Know whose work is done, and count who is at work."""
        self.drops = True  # whether every hang-up was heeded so far
        works = [(self.anatomy.work, "sell"), (self.anatomy.acceptance, "accept")]
        for target, name in works:
            if target is not None:
                self.chaos.stand_before_work(target, name)
                self._watch(target, name)

    def _watch(self, target: Any, name: str) -> None:
        real = getattr(target, name)

        async def watched(job: Any) -> Any:
            JOB.set(job)
            now = self.loop.time()
            awaited = any(not c.left and not c.deadline.has_passed(now) for c in job.callers)
            self.verdicts.expect(awaited or not self.drops, "work begun for nobody")
            self.moments.running += 1
            try:
                return await real(job)
            finally:
                self.moments.running -= 1

        setattr(target, name, watched)

    def today(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.loop.time() + self.wall_s)

    def confirmed(self) -> list[Order]:
        """All orders that stand."""
        return [order for order in self.store._orders.values() if order.status == "confirmed"]

    def sold_at_once(self) -> list[Order]:
        promised = getattr(self.store, "promised", {})
        return [order for order in self.confirmed() if order.id not in promised]

    def _hear_noise(self, _: object, context: dict[str, Any]) -> None:
        told = f"{context.get('message')} {context.get('exception')!r}"
        self.verdicts.fail("something was said to the loop's exception handler", told)
