"""One crowd at one service, in virtual time: what is to be played, and what was recorded of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Unpack

from bpdemo.assembly.office import Assembly
from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.events import BREAKER_CODES
from bpdemo.core.settings import Settings
from bpdemo.plan.arguments import LoadArguments, plan_of, takes_load
from bpdemo.plan.changes import Change, require_changes, settings_after, told
from bpdemo.plan.plan import Plan, require_range, require_whole
from bpdemo.results.looks import told_of_looks
from bpdemo.results.meta import PICTURED, Meta, Summary
from bpdemo.results.sentence import sentence_of
from bpdemo.sim import books, virtual_time
from bpdemo.sim.crowd import Crowd, Ended
from bpdemo.sim.first_fault import FirstFault
from bpdemo.sim.witness import Witness

SAMPLE_S: Final = 0.1
#: When virtual time begins. Any moment will do, as long as it is always the same.
SALE_DAY: Final = datetime(2030, 1, 1, tzinfo=UTC)

Sample = tuple[float, ...]
"""t_s, queue depth and capacity, workers, those busy, payment and store breaker, in flight,
limit."""


class Play:
    """A crowd that carries out `plan` at a service of those `settings`; `turns` are the capacities
    that `changes` lead to, by their time.

    `orders`, `attempts_s` and `samples` fill while `run` goes on, and may be read meanwhile. A
    `witness`, if there is one when it begins, sees each attempt's way through the service.
    """

    def __init__(
        self,
        settings: Settings,
        plan: Plan,
        changes: Sequence[Change] = (),
        turns: Sequence[tuple[float, float]] = (),
        bin_s: float = 0.5,
        name: str = "simulated",
    ) -> None:
        self.settings = settings
        self.plan = plan
        self.samples: list[Sample] = []
        self._changes = changes
        self._turns = tuple(turns)
        self.bin_s = bin_s
        self._name = name
        self._crowd: Crowd | None = None
        self.witness: Witness | None = None

    @property
    def orders(self) -> list[Ended]:
        """Those that are over, in the order in which they ended."""
        return self._crowd.orders if self._crowd else []

    @property
    def attempts_s(self) -> list[float]:
        """When each attempt was due, of all orders together."""
        return self._crowd.attempts_s if self._crowd else []

    async def run(self) -> None:
        """From the start of the service to the last answer. On a `VirtualTimeLoop`, once.

        Raises the first exception that fails inside the service, and goes no further.
        """
        loop, main = asyncio.get_running_loop(), asyncio.current_task()
        assert main is not None
        fault = FirstFault(main)
        loop.set_exception_handler(fault.hear)
        try:
            await self._run(loop)
        except asyncio.CancelledError:
            if fault.error is None:
                raise
        if fault.error is not None:
            raise fault.error

    async def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        start_s, witness = loop.time(), self.witness

        def today() -> datetime:
            # Of a whole number: of a fraction, a timedelta takes three times as long.
            return SALE_DAY + timedelta(microseconds=round(loop.time() * 1e6))

        assembly = Assembly(self.settings, clock=loop.time, today=today, observer=witness)
        await assembly.office.start()
        for at_s, knobs in self._changes:
            loop.call_at(start_s + at_s, assembly.turn, knobs)
        crowd = self._crowd = self._gather(assembly)
        sampler = asyncio.create_task(self._sample(assembly, crowd))
        try:
            await crowd.run()
        finally:
            sampler.cancel()
            # Awaited, so that a sampler that died is heard of.
            with contextlib.suppress(asyncio.CancelledError):
                await sampler
            await assembly.office.stop()

    def meta(self, seconds: float | None = None) -> Meta:
        """The facts of the run, or of its first `seconds`; ValueError if that is no time."""
        if seconds is not None:
            require_range("seconds", seconds, 0.001, self.plan.seconds)
        plan, orders = self.plan, self.orders
        return Meta(
            name=self._name,
            scenario=plan.scenario,
            seconds=plan.seconds if seconds is None else seconds,
            bin_s=self.bin_s,
            rate_per_s=plan.rate_per_s,
            capacity_per_s=self.settings.nominal_capacity,
            client_timeout_s=plan.client_timeout_s,
            seed=plan.seed,
            planned=len(orders),
            sent=len(orders),
            virtual=True,
            marks=tuple((at_s, told(knobs)) for at_s, knobs in self._changes),
            turns=self._turns,
            browse=told_of_looks(self._crowd.looks_s) if self._crowd else {},
            settings={knob: getattr(self.settings, knob) for knob in PICTURED},
        )

    def summary(self, seconds: float | None = None) -> Summary:
        """The run in numbers, or its first `seconds`."""
        return books.summary(self.orders, self.attempts_s, self.meta(seconds))

    def frame(self, seconds: float | None = None) -> books.Columns:
        """The columns of `LoadRun.frame`: a row per bin."""
        return books.frame(self.orders, self.attempts_s, self.samples, self.meta(seconds))

    @property
    def sentence(self) -> str:
        """The run in words."""
        return sentence_of(self.summary(), self.meta())

    def _gather(self, assembly: Assembly) -> Crowd:
        """Those who come. Overridden where something stands between them and the service."""
        witness = self.witness
        return witness.crowd(self.plan, assembly) if witness else Crowd(self.plan, assembly)

    async def _sample(self, assembly: Assembly, crowd: Crowd) -> None:
        office = assembly.office
        while True:
            states = office.breaker_states()
            self.samples.append(
                (
                    crowd.now_s,
                    office.queue_depth,
                    office.queue_capacity,
                    office.workers,
                    office.workers_busy,
                    BREAKER_CODES[states["payment"]],
                    BREAKER_CODES[states["store"]],
                    office.in_flight,
                    office.limit,
                )
            )
            await asyncio.sleep(SAMPLE_S)


@takes_load(seconds=30.0)
def prepare(
    settings: Settings | Mapping[str, Any],
    *,
    name: str = "simulated",
    **arguments: Unpack[LoadArguments],
) -> Play:
    """A play that has not begun: `run` it whole, or by `virtual_time.Steps`.

    The arguments are those of `simulate`. Raises `SettingsInvalid`, and ValueError for a load.
    """
    settings = _simulated(settings, require_whole("seed", arguments["seed"]))
    plan = plan_of(arguments, settings.nominal_capacity)
    changes, bin_s = arguments["changes"], arguments["bin_s"]
    changes = require_changes(changes, plan.seconds)
    turns = [
        (at_s, now_per_s)
        for at_s, turned in settings_after(settings, changes)
        if (now_per_s := turned.nominal_capacity) is not None
    ]
    bin_s = require_range("bin_s", bin_s, 0.05, plan.seconds)
    return Play(settings, plan, changes, turns, bin_s, name)


@takes_load(seconds=30.0)
def play(
    settings: Settings | Mapping[str, Any],
    *,
    name: str = "simulated",
    **arguments: Unpack[LoadArguments],
) -> Play:
    """The same, played to its end."""
    prepared = prepare(settings, name=name, **arguments)
    virtual_time.run(prepared.run())
    return prepared


def _simulated(settings: Settings | Mapping[str, Any], seed: int) -> Settings:
    made = settings if isinstance(settings, Settings) else Settings(**settings)
    if made.store != "memory":
        raise SettingsInvalid("store", f"{made.store!r} needs real time; simulate with memory")
    return made if made.seed is not None else made.model_copy(update={"seed": seed})
