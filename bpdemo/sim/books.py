"""The books of a run in plain Python: what `summary_of` and `frame_of` of the results calculate
with numpy, for a browser, where there is none. A test holds the two together.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from bpdemo.plan.fates import FAILED, FATES, LATE, OK, SHED
from bpdemo.results.meta import Meta, Summary
from bpdemo.results.percentile import percentile
from bpdemo.sim.crowd import Ended

V = TypeVar("V")

Columns = dict[str, list[float]]
"""The columns of a run by name; a row per bin."""

SHARES: Final = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}


def summary(
    orders: Iterable[Ended],
    attempts_s: Iterable[float],
    meta: Meta,
    start_s: float = 0.0,
    end_s: float = 0.0,
) -> Summary:
    """See `results.summary.summary_of`."""
    end_s = end_s or meta.seconds
    seconds = end_s - start_s
    inside = [order for order in orders if start_s <= order.t_s < end_s]
    sent = sum(start_s <= t_s < end_s for t_s in attempts_s)
    capacity = math.nan if meta.capacity_per_s is None else meta.capacity_per_s
    per_s = [count / seconds for count in _by_fate(inside)]
    offered = len(inside) / seconds
    waits_ms = sorted(order.latency_s * 1000 for order in inside if order.fate <= LATE)
    possible = _possible_per_s([order.t_s for order in inside], meta, start_s, end_s)
    return {
        "capacity_per_s": capacity,
        "offered_per_s": offered,
        "goodput_per_s": per_s[OK],
        "goodput_share": per_s[OK] / capacity,
        "late_per_s": per_s[LATE],
        "shed_per_s": per_s[SHED],
        "failed_per_s": per_s[FAILED],
        **{name: percentile(waits_ms, share) for name, share in SHARES.items()},
        "served_share": per_s[OK] / offered if offered else math.nan,
        "goodput_of_possible": per_s[OK] / possible,
        "attempts_per_s": sent / seconds,
    }


def frame(
    orders: Sequence[Ended],
    attempts_s: Iterable[float],
    samples: Iterable[Sequence[float]],
    meta: Meta,
) -> Columns:
    """See `results.frame.frame_of`; `samples` are rows as `Samples.of` takes them."""
    edges = _edges(meta)
    bins = _Bins(edges)
    placed = [(place, order) for order in orders if (place := bins.place(order.t_s)) is not None]
    table: Columns = {"t_s": edges[:-1], "offered_per_s": bins.per_s(place for place, _ in placed)}
    for code, fate in enumerate(FATES):
        table[f"{fate}_per_s"] = bins.per_s(place for place, o in placed if o.fate == code)
    sent = (place for t_s in attempts_s if (place := bins.place(t_s)) is not None)
    table["attempts_per_s"] = bins.per_s(sent)
    waits_ms = bins.gather((place, o.latency_s * 1000) for place, o in placed if o.fate <= LATE)
    for values in waits_ms:
        values.sort()
    for name, share in SHARES.items():
        table[name] = [percentile(values, share) for values in waits_ms]
    return table | _server(samples, bins)


#: Column of a sample, and what a bin shows of its samples.
SERVER: Final[dict[str, tuple[int, Callable[[list[float]], float]]]] = {
    "queue_depth": (1, lambda values: math.fsum(values) / len(values)),
    "queue_capacity": (2, lambda values: values[-1]),
    "workers_busy": (4, lambda values: math.fsum(values) / len(values)),
    "workers": (3, lambda values: values[-1]),
    "breaker_payment": (5, max),
    "breaker_store": (6, max),
    "limit": (8, lambda values: math.fsum(values) / len(values)),
}


def _server(samples: Iterable[Sequence[float]], bins: _Bins) -> Columns:
    seen = bins.gather((place, row) for row in samples if (place := bins.place(row[0])) is not None)
    return {
        name: [float(shown([row[column] for row in rows])) if rows else math.nan for rows in seen]
        for name, (column, shown) in SERVER.items()
    }


class _Bins:
    """The bins between `edges`; a bin begins with its edge, and ends before the next."""

    def __init__(self, edges: list[float]) -> None:
        self._edges = edges
        self._count = len(edges) - 1

    def place(self, t_s: float) -> int | None:
        """The bin of that time; None outside."""
        if not self._edges[0] <= t_s < self._edges[-1]:
            return None
        return bisect_right(self._edges, t_s) - 1

    def per_s(self, places: Iterable[int]) -> list[float]:
        """How many fell into each bin, a second."""
        counts = [0] * self._count
        for place in places:
            counts[place] += 1
        edges = self._edges
        return [count / (edges[i + 1] - edges[i]) for i, count in enumerate(counts)]

    def gather(self, placed: Iterable[tuple[int, V]]) -> list[list[V]]:
        """The values of each bin."""
        values: list[list[V]] = [[] for _ in range(self._count)]
        for place, value in placed:
            values[place].append(value)
        return values


def _edges(meta: Meta) -> list[float]:
    count = max(1, math.ceil(meta.seconds / meta.bin_s - 1e-6))
    return [*(number * meta.bin_s for number in range(count)), meta.seconds]


def _by_fate(orders: Iterable[Ended]) -> list[int]:
    counts = [0] * len(FATES)
    for order in orders:
        counts[order.fate] += 1
    return counts


def _possible_per_s(times_s: Iterable[float], meta: Meta, start_s: float, end_s: float) -> float:
    """Second by second the lesser of what was offered and of the capacity at that moment."""
    if meta.capacity_per_s is None:
        return math.nan
    count = max(1, round(end_s - start_s))
    step_s = (end_s - start_s) / count
    edges = [*(start_s + number * step_s for number in range(count)), end_s]
    bins = _Bins(edges)
    offered = bins.gather((place, t_s) for t_s in times_s if (place := bins.place(t_s)) is not None)
    served = [_capacity_until(edge, meta.capacities) for edge in edges]
    width_s = edges[1] - edges[0]
    per_s = [min(len(some), served[i + 1] - served[i]) / width_s for i, some in enumerate(offered)]
    return math.fsum(per_s) / count or math.nan


def _capacity_until(at_s: float, capacities: Sequence[tuple[float, float]]) -> float:
    """How many orders there was capacity for from the start until then."""
    ends_s = [*(start_s for start_s, _ in capacities[1:]), math.inf]
    return math.fsum(
        per_s * (min(max(at_s, start_s), end_s) - start_s)
        for (start_s, per_s), end_s in zip(capacities, ends_s, strict=True)
    )
