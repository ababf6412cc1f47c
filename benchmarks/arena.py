"""Scenes in virtual time in which limits on what is in flight are held against one another.

The service's own code, open loop, on the same orders and the same seeds for all. It is the naive
service, which has no other protection and works for those who have left: the limit alone protects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from bpdemo.assembly.office import Assembly
from bpdemo.core.errors import Refused
from bpdemo.core.settings import Settings
from bpdemo.flow.limits.choice import LIMITS
from bpdemo.plan.fates import LATE, OK
from bpdemo.sim import virtual_time
from bpdemo.sim.crowd import Crowd
from bpdemo.sim.play import Play, prepare

#: How long the worst stretch is, what is left out of it after a change, and at the start.
STRETCH_S, AFTER_CHANGE_S, WARM_S = 10, 5, 10

TWICE_AS_SLOW: Final = {"payment_latency_s": 0.08, "store_latency_s": 0.004}
AS_BEFORE: Final = {"payment_latency_s": 0.04, "store_latency_s": 0.002}
#: Nothing but the limit, and payments that scatter as widely as they do in reality.
NAIVE: Final = {"payment_latency_distribution": "lognormal"}


@dataclass(frozen=True)
class Scene:
    """A service, an offer in multiples of its capacity, and what changes on the way."""

    name: str
    times: float
    seconds: float
    knobs: Mapping[str, Any] = field(default_factory=dict)
    changes: Sequence[tuple[float, Mapping[str, Any]]] = ()


@dataclass(frozen=True)
class Rival:
    """What stands before the service. `knobs` may hang on how many workers it has.

    `constants` are the limit's own, which no setting turns: those that are not left as published.
    """

    name: str
    knobs: Mapping[str, Any]
    per_worker: Mapping[str, int] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)

    def settings(self, scene: Scene, seed: int) -> Settings:
        asked = {**NAIVE, **scene.knobs}
        workers = asked.get("workers", 8)
        sized = {name: number * workers for name, number in self.per_worker.items()}
        return Settings.unprotected(seed=seed, **asked, **self.knobs, **sized)


@dataclass(frozen=True)
class Scored:
    """Shares from 0 to 1. `goodput` and `worst` are of what was possible; `false` of the offer."""

    goodput: float
    worst: float
    false: float
    last: float
    """Goodput of the last tenth: where a drift shows."""
    late: float = 0.0
    """Let in and not answered in time, of the offer."""
    stretches: tuple[tuple[int, float], ...] = ()
    """Ten seconds by ten seconds: how many were served in time, and how many was possible."""
    worst_from_s: int | None = None
    """Where the worst ten seconds began; None for a run that is too short to have any."""


class WatchedPlay(Play):
    """Counts who is refused by the limit while a worker is idle."""

    refused_while_idle = 0

    async def _sample(self, assembly: Assembly, crowd: Crowd) -> None:
        office, intake = assembly.office, assembly.office.intake
        reject = intake.reject

        def watched(request_id: str, refused: Refused) -> None:
            self.refused_while_idle += office.workers_busy < office.workers
            reject(request_id, refused)

        intake.reject = watched  # type: ignore[method-assign]
        await super()._sample(assembly, crowd)


def played(scene: Scene, rival: Rival, seed: int) -> Scored:
    """One rival in one scene."""
    ready = prepare(
        rival.settings(scene, seed), times=scene.times, seconds=scene.seconds, seed=seed,
        changes=[(at_s, dict(knobs)) for at_s, knobs in scene.changes],
    )  # fmt: skip
    play = WatchedPlay(ready.settings, ready.plan, ready._changes, ready._turns)
    with limits_made_with(rival):
        virtual_time.run(play.run())
    orders = [(order.t_s, order.fate == OK) for order in play.orders]
    told = scored(scene, orders, play.meta().capacities, play.refused_while_idle)
    late = sum(order.fate == LATE for order in play.orders)
    return replace(told, late=late / max(1, len(orders)))


@contextmanager
def limits_made_with(rival: Rival) -> Iterator[None]:
    """Every limit that is made meanwhile has the rival's constants."""
    if not rival.constants:
        yield
        return
    name = rival.knobs["limit_algorithm"]
    published = LIMITS[name]
    LIMITS[name] = partial(published, **rival.constants)
    try:
        yield
    finally:
        LIMITS[name] = published


def scored(
    scene: Scene,
    orders: Sequence[tuple[float, bool]],
    capacities: Sequence[tuple[float, float]],
    refused_while_idle: int,
) -> Scored:
    """What was served in time, of the lesser of offer and capacity, ten seconds by ten seconds.

    `orders` are when each came and whether it was; `capacities`, per second, from when on.
    """
    seconds = int(scene.seconds)
    offered, ok = [0] * seconds, [0] * seconds
    for t_s, in_time in orders:
        if int(t_s) < seconds:
            offered[int(t_s)] += 1
            ok[int(t_s)] += in_time
    can = [_capacity_at(second + 0.5, capacities) for second in range(seconds)]

    def share(start: int, end: int) -> float:
        return sum(ok[start:end]) / max(1.0, min(sum(offered[start:end]), sum(can[start:end])))

    spoilt = [range(int(at_s), int(at_s) + AFTER_CHANGE_S) for at_s, _ in scene.changes]
    starts = [
        start
        for start in range(WARM_S, seconds - STRETCH_S + 1)
        if not any(second in some for some in spoilt for second in range(start, start + STRETCH_S))
    ]
    worst_from = min(starts, key=lambda start: share(start, start + STRETCH_S), default=None)
    stretches = tuple(
        (sum(ok[start:end]), min(sum(offered[start:end]), sum(can[start:end])))
        for end in range(WARM_S + STRETCH_S, seconds + 1, STRETCH_S)
        for start in (end - STRETCH_S,)
    )
    served, possible = (sum(each) for each in zip(*stretches, strict=True)) if stretches else (0, 0)
    return Scored(
        goodput=served / max(1.0, possible),
        worst=1.0 if worst_from is None else share(worst_from, worst_from + STRETCH_S),
        false=refused_while_idle / max(1, len(orders)),
        last=share(seconds - seconds // 10, seconds),
        stretches=stretches,
        worst_from_s=worst_from,
    )


def _capacity_at(t_s: float, capacities: Sequence[tuple[float, float]]) -> float:
    return next(per_s for start_s, per_s in reversed(capacities) if start_s <= t_s)
