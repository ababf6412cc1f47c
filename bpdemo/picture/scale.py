"""What the axes span, so that two runs side by side can share them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from bpdemo.results.run import Run

HEADROOM: Final = 1.3
"""The top panel ends at this multiple of capacity; a larger offer is an arrow."""

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
    def of(cls, runs: Sequence[Run]) -> Scale:
        return cls(
            seconds=max(run.meta.seconds for run in runs),
            orders_per_s=max(_orders_per_s(run) for run in runs),
            latency_ms=_latency_ms(runs),
            jobs=max(_jobs(run) for run in runs),
        )


def _orders_per_s(run: Run) -> float:
    if first := run.meta.capacity_per_s:
        most = max(capacity for _, capacity in run.meta.capacities)
        return HEADROOM * min(most, MOST_GROWTH * first)
    return 1.15 * max(1.0, float(run.frame["offered_per_s"].max()))


def _latency_ms(runs: Sequence[Run]) -> tuple[float, float]:
    """From a round number below the fastest p50 to twice the slowest p99 or the client timeout."""
    seen = [run.frame[name].to_numpy() for run in runs for name in ("p50_ms", "p99_ms")]
    values = np.concatenate([*seen, [run.meta.client_timeout_s * 1000 for run in runs]])
    values = values[np.isfinite(values) & (values > 0)]
    low = 10.0 ** np.floor(np.log10(values.min() * 0.8))
    return float(low), float(values.max() * 2)


def _jobs(run: Run) -> float:
    columns = run.frame[["queue_depth", "queue_capacity", "workers"]].to_numpy()
    seen = columns[np.isfinite(columns)]
    return 1.2 * max(10.0, float(seen.max()) if len(seen) else 0.0)
