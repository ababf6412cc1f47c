"""What became of those who only looked at items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from bpdemo.results.percentile import percentile


def told_of_looks(looks_s: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """What became of the GETs, from their latencies by X-Cache (or status): the count of each, and
    percentiles over all of them."""
    if not looks_s:
        return {}
    ordered = sorted(chain.from_iterable(looks_s.values()))
    return {
        "answers": {came_from: len(latencies) for came_from, latencies in looks_s.items()},
        "p50_ms": round(percentile(ordered, 0.50) * 1000, 2),
        "p99_ms": round(percentile(ordered, 0.99) * 1000, 2),
    }
