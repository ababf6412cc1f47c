"""From records to the tidy frame: a row per bin of time, or per bin and label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from bpdemo.plan.fates import FATES, LATE, OK
from bpdemo.plan.plan import require_choice
from bpdemo.results.meta import Meta
from bpdemo.results.records import Column, Records, Samples

if TYPE_CHECKING:
    import pandas as pd

# pandas takes a second to load: only who asks for a frame waits for it.

PERCENTILES: Final = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}


def _mean(place: Column, values: Column, bins: int) -> Column:
    sums, counts = np.bincount(place, values, bins), np.bincount(place, minlength=bins)
    shown = np.full(bins, np.nan)
    np.divide(sums, counts, out=shown, where=counts > 0)
    return shown


def _last(place: Column, values: Column, bins: int) -> Column:
    shown = np.full(bins, np.nan)
    shown[place] = values  # of several for one place, the last one stays
    return shown


def _most(place: Column, values: Column, bins: int) -> Column:
    shown = np.full(bins, np.nan)
    np.fmax.at(shown, place, values)
    return shown


SERVER: Final = {
    "queue_depth": _mean,
    "queue_capacity": _last,
    "workers_busy": _mean,
    "workers": _last,
    "breaker_payment": _most,
    "breaker_store": _most,
    "limit": _mean,
}
"""What a bin shows of its samples: a mean, the last value set, the worst state. No sample
at all is NaN."""

SPLITS: Final = ("client", "priority")


def frame_of(records: Records, samples: Samples, meta: Meta, by: str | None = None) -> pd.DataFrame:
    """A row per bin; `t_s` is where the bin begins. See `LoadRun` for the columns."""
    import pandas as pd

    from bpdemo.results.table import Table

    if by is None:
        return Table(bins_of(records, samples, meta))
    require_choice("by", by, SPLITS)
    labels: Column = getattr(records, by)
    parts = []
    for label in sorted(set(labels.tolist())):
        part = Table(bins_of(records.where(labels == label), samples, meta))
        part.insert(1, by, label)
        parts.append(part.drop(columns="attempts_per_s"))
    if not parts:
        return Table(bins_of(records, samples, meta))
    return pd.concat(parts, ignore_index=True)


def bins_of(records: Records, samples: Samples, meta: Meta) -> dict[str, Column]:
    """The columns of the frame that is not split, for those who need no pandas."""
    edges = bin_edges(meta)
    widths = np.diff(edges)
    place = _place(records.t_s, edges)
    table: dict[str, Column] = {"t_s": edges[:-1]}
    table["offered_per_s"] = _count(place, edges) / widths
    for code, fate in enumerate(FATES):
        table[f"{fate}_per_s"] = _count(place[records.fate == code], edges) / widths
    table["attempts_per_s"] = _count(_place(records.attempt_t_s, edges), edges) / widths
    accepted = records.fate <= LATE
    table |= _percentiles(place[accepted], records.latency_s[accepted], len(widths))
    return table | _server(samples, edges)


def bin_edges(meta: Meta) -> Column:
    """Edges from 0 to the end of the run; the last bin may be short."""
    count = max(1, int(np.ceil(meta.seconds / meta.bin_s - 1e-6)))
    edges = np.arange(count + 1) * meta.bin_s
    edges[-1] = meta.seconds
    return edges


def accepted_latencies_ms(records: Records) -> Column:
    """Of the orders served or late: the customers who were let in and waited."""
    assert OK < LATE
    return np.asarray(records.latency_s[records.fate <= LATE] * 1000)


def _place(t_s: Column, edges: Column) -> Column:
    """The bin of each time; what lies outside the run gets the bin after the last."""
    place = np.searchsorted(edges, t_s, side="right") - 1
    place[(t_s < 0) | (t_s >= edges[-1])] = len(edges) - 1
    return place


def _count(place: Column, edges: Column) -> Column:
    return np.bincount(place, minlength=len(edges))[: len(edges) - 1].astype(float)


def _percentiles(place: Column, latency_s: Column, bins: int) -> dict[str, Column]:
    """Percentiles of every bin at once: sort by bin and latency, then index."""
    order = np.lexsort((latency_s, place))
    ordered_ms = latency_s[order] * 1000
    sizes = np.bincount(place, minlength=bins)[:bins]
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    columns = {}
    for name, q in PERCENTILES.items():
        values = np.full(bins, np.nan)
        filled = sizes > 0
        at = starts[filled] + q * (sizes[filled] - 1)
        low = np.floor(at).astype(int)
        high = np.ceil(at).astype(int)
        values[filled] = ordered_ms[low] + (at - low) * (ordered_ms[high] - ordered_ms[low])
        columns[name] = values
    return columns


def _server(samples: Samples, edges: Column) -> dict[str, Column]:
    place = _place(samples.t_s, edges)
    inside = place < len(edges) - 1
    columns = {}
    for name, shown in SERVER.items():
        seen = getattr(samples, name)[inside]
        known = ~np.isnan(seen)
        columns[name] = shown(place[inside][known], seen[known], len(edges) - 1)
    return columns
