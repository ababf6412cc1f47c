"""What the axes span, so that two runs side by side can share them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bpdemo.picture.shown import Shown

HEADROOM: Final = 1.3
"""The top panel ends at this multiple of capacity; a larger offer is an arrow."""

HEADROOM_OF_JOBS: Final = 1.2
"""The panel of the queue ends at this multiple of the most that stood there."""

MOST_GROWTH: Final = 4.0
"""A knob that makes capacity larger than so many times the first may leave the panel."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Upper ends of the axes, and both ends of the latency axis."""

    seconds: float
    orders_per_s: float
    latency_ms: tuple[float, float]
    jobs: float

    @classmethod
    def of(cls, runs: Sequence[Shown], jobs: float = 0.0) -> Scale:
        """`jobs`: as many have been seen, if more than the runs themselves know of."""
        return cls(
            seconds=max(run.meta.seconds for run in runs),
            orders_per_s=max(_orders_per_s(run) for run in runs),
            latency_ms=_latency_ms(runs),
            jobs=max(HEADROOM_OF_JOBS * jobs, *(_jobs(run) for run in runs)),
        )


def _orders_per_s(run: Shown) -> float:
    if first := run.meta.capacity_per_s:
        most = max(capacity for _, capacity in run.meta.capacities)
        return HEADROOM * min(most, MOST_GROWTH * first)
    return 1.15 * max((1.0, *run.columns["offered_per_s"]))


def _latency_ms(runs: Sequence[Shown]) -> tuple[float, float]:
    """From a round number below the fastest p50 to twice the slowest p99 or the client timeout."""
    seen = [ms for run in runs for name in ("p50_ms", "p99_ms") for ms in run.columns[name]]
    timeouts = [run.meta.client_timeout_s * 1000 for run in runs]
    values = [ms for ms in (*seen, *timeouts) if math.isfinite(ms) and ms > 0]
    return 10.0 ** math.floor(math.log10(min(values) * 0.8)), max(values) * 2


def _jobs(run: Shown) -> float:
    names = ("queue_depth", "queue_capacity", "workers")
    seen = (jobs for name in names for jobs in run.columns[name] if math.isfinite(jobs))
    return HEADROOM_OF_JOBS * max((10.0, *seen))
