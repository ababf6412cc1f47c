"""The least that a limit can stand before: one first-in-first-out queue and its workers.

A hundred times as fast as the service's own code, so that a limit can be watched over many seeds
and its constants searched for. What it leaves out (retries, deadlines, hang-ups that are heeded)
the scenes leave out too; the figures of the report are the service's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush, heapreplace
from random import Random

from benchmarks.arena import AS_BEFORE, NAIVE, Scene, Scored, scored
from bpdemo.downstream.payment import PaymentPolicy
from bpdemo.flow.limiter import Limit

#: How long a caller waits.
PATIENCE_S = 0.5


@dataclass
class Walk:
    """One limit's way through a scene."""

    orders: list[tuple[float, bool]] = field(default_factory=list)
    """When each came, and whether it was answered in time."""
    limits: list[float] = field(default_factory=list)
    """The limit at the beginning of each second."""
    refused_while_idle: int = 0


@dataclass(frozen=True)
class _Era:
    """Until something changes."""

    start_s: float
    payment: PaymentPolicy
    store_s: float


def walked(limit: Limit, scene: Scene, seed: int) -> Walk:
    """Poisson arrivals at `scene.times` of what the workers can serve, until its end."""
    came, took, hung = (Random(f"{seed} {name}") for name in ("came", "took", "hung"))
    walk, eras, workers = Walk(), _eras(scene), _workers(scene)
    offer_per_s = scene.times * _capacities(scene)[0][1]
    hang_rate = scene.knobs.get("payment_hang_rate", 0.0)
    free_s = [0.0] * workers  # when each worker is free
    inside: list[tuple[float, float, bool]] = []  # ends, came, and whether that teaches anything
    heapify(free_s)
    now, era = 0.0, 0
    draw_s = eras[0].payment.sampler(took)
    while (now := now + came.expovariate(offer_per_s)) < scene.seconds:
        while inside and inside[0][0] <= now:
            _end(limit, inside)
        walk.limits += [limit.current] * (int(now) + 1 - len(walk.limits))
        if era + 1 < len(eras) and now >= eras[era + 1].start_s:
            era += 1
            draw_s = eras[era].payment.sampler(took)
        if len(inside) >= limit.current:
            walk.refused_while_idle += len(inside) < workers
            walk.orders.append((now, False))
            continue
        hangs = hang_rate > 0 and hung.random() < hang_rate
        lasts_s = scene.knobs["attempt_timeout_s"] if hangs else draw_s() + eras[era].store_s
        ends_s = max(now, free_s[0]) + lasts_s
        heapreplace(free_s, ends_s)
        heappush(inside, (ends_s, now, not hangs))
        walk.orders.append((now, not hangs and ends_s - now <= PATIENCE_S))
    return walk


def score(limit: Limit, scene: Scene, seed: int) -> Scored:
    """As the arena scores it."""
    walk = walked(limit, scene, seed)
    return scored(scene, walk.orders, _capacities(scene), walk.refused_while_idle)


def _end(limit: Limit, inside: list[tuple[float, float, bool]]) -> None:
    in_flight = len(inside)
    ends_s, came_s, teaches = heappop(inside)
    if teaches:
        limit.learn(
            in_flight, ends_s - came_s, dropped=False, now=ends_s,
            was_full=in_flight >= limit.current,
        )  # fmt: skip


def _workers(scene: Scene) -> int:
    return int(scene.knobs.get("workers", 8))


def _eras(scene: Scene) -> list[_Era]:
    knobs, eras = {**AS_BEFORE, **NAIVE, **scene.knobs}, []
    for start_s, changed in [(0.0, {}), *scene.changes]:
        knobs |= changed
        policy = PaymentPolicy(
            latency_s=knobs["payment_latency_s"], distribution=knobs["payment_latency_distribution"]
        )
        eras.append(_Era(start_s, policy, knobs["store_latency_s"]))
    return eras


def _capacities(scene: Scene) -> Sequence[tuple[float, float]]:
    workers = _workers(scene)
    return [(era.start_s, workers / (era.payment.latency_s + era.store_s)) for era in _eras(scene)]
