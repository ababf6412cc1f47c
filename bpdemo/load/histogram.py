"""Reads a quantile out of a Prometheus histogram, the way PromQL's histogram_quantile does."""

from __future__ import annotations

import re
from typing import Final

_BUCKET: Final = re.compile(r'^(\w+)_bucket\{[^}]*?le="([^"]+)"[^}]*\} (\S+)', re.MULTILINE)


def buckets_of(exposition: str, metric: str) -> dict[float, float]:
    """Cumulative counts by upper bound, summed over all other labels."""
    counts: dict[float, float] = {}
    for name, bound, count in _BUCKET.findall(exposition):
        if name == metric:
            counts[float(bound)] = counts.get(float(bound), 0.0) + float(count)
    return counts


def quantile(cumulative: dict[float, float], q: float) -> float | None:
    """The q-quantile, linear within its bucket; None when nothing was counted.

    Beyond the last finite bound it answers that bound: more is not known.
    """
    bounds = sorted(cumulative)
    if not bounds or cumulative[bounds[-1]] <= 0:
        return None
    rank = q * cumulative[bounds[-1]]
    low, below = 0.0, 0.0
    for bound in bounds:
        count = cumulative[bound]
        if count >= rank:
            if bound == float("inf"):
                return low
            return low + (bound - low) * (rank - below) / max(count - below, 1e-12)
        low, below = bound, count
    return low
