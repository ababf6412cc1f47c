"""A run in numbers."""

from __future__ import annotations

import numpy as np

from bpdemo.core.members import Figures
from bpdemo.plan.fates import FAILED, LATE, OK, SHED
from bpdemo.results.frame import accepted_latencies_ms
from bpdemo.results.meta import Meta, Summary
from bpdemo.results.records import Column, Records


def summary_of(records: Records, meta: Meta, start_s: float = 0.0, end_s: float = 0.0) -> Summary:
    """Rates over `start_s` to `end_s`, by default the whole run.

    goodput_share = goodput / capacity: how much of what the service can serve it did serve.
    served_share = served / offered. goodput_of_possible = goodput / what could have been served,
    second by second the lesser of offer and capacity at that moment: neither low load nor a slow
    dependency is held against it. `capacity_per_s` is that of the start.
    Percentiles are over the orders served or late, from the intended send; for a caller
    that left, its wait up to then (so they are a lower bound). What is not known is NaN.
    """
    end_s = end_s or meta.seconds
    seconds = end_s - start_s
    inside = records.where((records.t_s >= start_s) & (records.t_s < end_s))
    sent_again = np.count_nonzero((records.attempt_t_s >= start_s) & (records.attempt_t_s < end_s))
    capacity = float("nan") if meta.capacity_per_s is None else meta.capacity_per_s
    per_s = np.bincount(inside.fate, minlength=4) / seconds
    offered = len(inside) / seconds
    p50, p95, p99 = _percentiles(accepted_latencies_ms(inside))
    figures = {
        "capacity_per_s": capacity,
        "offered_per_s": offered,
        "goodput_per_s": float(per_s[OK]),
        "goodput_share": float(per_s[OK]) / capacity,
        "late_per_s": float(per_s[LATE]),
        "shed_per_s": float(per_s[SHED]),
        "failed_per_s": float(per_s[FAILED]),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "served_share": float(per_s[OK]) / offered if offered else float("nan"),
        "goodput_of_possible": float(per_s[OK]) / _possible_per_s(inside, meta, start_s, end_s),
        "attempts_per_s": float(sent_again / seconds),
    }
    return Figures(figures)


def _possible_per_s(records: Records, meta: Meta, start_s: float, end_s: float) -> float:
    if meta.capacity_per_s is None:
        return float("nan")
    count = max(1, round(end_s - start_s))
    offered, edges = np.histogram(records.t_s, bins=count, range=(start_s, end_s))
    width_s = edges[1] - edges[0]
    capacity = np.diff(_capacity_until(edges, meta)) / width_s
    possible = float(np.minimum(offered / width_s, capacity).mean())
    return possible or float("nan")


def _capacity_until(at_s: Column, meta: Meta) -> Column:
    """How many orders there was capacity for from the start until then."""
    starts_s, capacity_per_s = (np.array(column) for column in zip(*meta.capacities, strict=True))
    ends_s = np.append(starts_s[1:], np.inf)
    within_s = np.clip(at_s[:, None], starts_s, ends_s) - starts_s
    total: Column = within_s @ capacity_per_s
    return total


def _percentiles(latency_ms: Column) -> tuple[float, float, float]:
    if not len(latency_ms):
        return (float("nan"),) * 3
    low, middle, high = np.percentile(latency_ms, [50, 95, 99])
    return float(low), float(middle), float(high)
