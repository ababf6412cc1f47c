"""A service that is stuck, and what somebody on call can do about it, in virtual time.

    simulate_rescue([(20, {"restart_s": 1}), (20, {"queue_capacity": 16})])

Each step is a time and what is done then: knobs of the service, turned while it runs, and two
things that are no knobs, `restart_s` and `shed_upstream`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from types import MappingProxyType
from typing import Any, Final, Unpack

from bpdemo.assembly.office import Assembly
from bpdemo.core.settings import Settings
from bpdemo.core.slips import forgiving
from bpdemo.lab.services.simulation import run_of
from bpdemo.load.run import LoadRun
from bpdemo.plan.arguments import LoadArguments
from bpdemo.plan.changes import Change, require_changes
from bpdemo.plan.fates import NO_CONNECTION
from bpdemo.plan.plan import RANGES, Plan, require_range
from bpdemo.plan.visits import Visit
from bpdemo.results.meta import Meta
from bpdemo.sim import virtual_time
from bpdemo.sim.crowd import Crowd
from bpdemo.sim.play import Play, prepare
from bpdemo.sim.visit import Answer, Edge, Hearing

#: What is no knob of the service: for how long it is down, and which share of the customers a
#: gateway in front of it sheds from then on.
RESTART: Final = "restart_s"
UPSTREAM: Final = "shed_upstream"
_ACTS: Final = {RESTART: (0.0, 60.0), UPSTREAM: (0.0, 1.0)}
#: The trigger: payments five times as slow for two seconds.
TRIGGER: Final = ((5.0, {"payment_latency_s": 0.2}), (7.0, {"payment_latency_s": 0.04}))
LOAD: Final = 0.6

NOT_HERE: Final = Answer(NO_CONNECTION, "no connection")
SHED_THERE: Final = Answer(503, "shed_upstream")


@forgiving
def simulate_rescue(
    steps: Sequence[Change] = (),
    *,
    settings: Settings | Mapping[str, Any] = MappingProxyType({}),
    trigger: Sequence[Change] = TRIGGER,
    name: str = "rescued",
    **arguments: Unpack[LoadArguments],
) -> LoadRun:
    """The naive service at 60% load with three retries, a `trigger`, and then `steps`.

    `settings` are further knobs of the service. Beside live knobs a step may have `restart_s`: the
    service is down for so long and then empty; callers find no connection, and those who waited are
    told so at once. A second one meanwhile may make it longer, and never shorter. And
    `shed_upstream`: from then on a gateway in front rejects that share of the customers, again and
    again if they retry. `arguments` are those of `simulate`, but for `changes`, which `trigger` and
    `steps` make; 60 s unless given. ValueError names what is wrong.
    """
    made = settings if isinstance(settings, Settings) else Settings.unprotected(**settings)
    given: dict[str, Any] = {"seconds": 60.0, "retries": 3, **arguments}
    if given.pop("changes", ()):
        raise ValueError(
            "changes are made by `trigger` and `steps` here: give them as steps, such as "
            '[(20, {"queue_capacity": 8})]'
        )
    given["seconds"] = require_range("seconds", given["seconds"], *RANGES["seconds"])
    if given.get("rate") is None:
        given.setdefault("times", LOAD)
    knobs, acts = require_steps(steps, given["seconds"])
    ready = prepare(made, name=name, changes=[*trigger, *knobs], **given)
    play = _Rescue(ready, acts, name)
    virtual_time.run(play.run())
    return run_of(play)


def require_steps(steps: Sequence[Change], seconds: float) -> tuple[list[Change], list[Change]]:
    """The knobs that the steps turn, and what they do besides. ValueError for what is no step."""
    steps = require_changes(steps, seconds)
    knobs = [(at_s, {n: v for n, v in done.items() if n not in _ACTS}) for at_s, done in steps]
    acts = [
        (at_s, {n: require_range(n, v, *_ACTS[n]) for n, v in done.items() if n in _ACTS})
        for at_s, done in steps
    ]
    return [step for step in knobs if step[1]], [step for step in acts if step[1]]


class _Rescue(Play):
    """A play in which somebody acts between the customers and the service."""

    def __init__(self, ready: Play, acts: Sequence[Change], name: str) -> None:
        super().__init__(
            ready.settings, ready.plan, ready._changes, ready._turns, ready.bin_s, name
        )
        self._acts = acts

    def _gather(self, assembly: Assembly) -> Crowd:
        approach = _Approach(assembly)
        loop = asyncio.get_running_loop()
        for at_s, done in self._acts:
            if (down_s := done.get(RESTART)) is not None:
                loop.call_at(loop.time() + at_s, approach.restart, down_s)
            if (share := done.get(UPSTREAM)) is not None:
                loop.call_at(loop.time() + at_s, approach.shed, share)
        return Crowd(self.plan, assembly, approach)

    def meta(self, seconds: float | None = None) -> Meta:
        """With what was done among the marks: one mark for all that was done in one moment."""
        meta = super().meta(seconds)
        done: dict[float, list[str]] = {}
        acted = [(at_s, _told(acts)) for at_s, acts in self._acts]
        for at_s, told in (*acted, *meta.marks):
            done.setdefault(at_s, []).append(told)
        return replace(meta, marks=tuple((at_s, ", ".join(done[at_s])) for at_s in sorted(done)))


class _Approach(Edge):
    """What stands before the service: the network, and a gateway that may shed."""

    def __init__(self, assembly: Assembly) -> None:
        super().__init__(assembly.office)
        self._up_s = 0.0
        self._share = 0.0

    def restart(self, down_s: float) -> None:
        """All who wait are told at once; the few orders in the workers' hands are finished."""
        self._up_s = max(self._up_s, self._loop.time() + down_s)
        self.intake.shed_queued()

    def shed(self, share: float) -> None:
        """From now on."""
        self._share = share

    def take(
        self, visit: Visit, plan: Plan, gives_up_s: float, hear: Callable[[Answer], object]
    ) -> Hearing | None:
        # By the customer, not by the attempt: who was rejected once is rejected again.
        if Random(visit.due_s).random() < self._share:
            hear(SHED_THERE)
        elif self._loop.time() < self._up_s:
            hear(NOT_HERE)
        else:
            return super().take(visit, plan, gives_up_s, hear)
        return None


def _told(done: Mapping[str, float]) -> str:
    words = {RESTART: "restart of {:g} s", UPSTREAM: "{:.0%} shed upstream"}
    return ", ".join(words[name].format(value) for name, value in done.items())
