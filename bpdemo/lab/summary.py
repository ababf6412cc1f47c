"""A run in ten numbers, and in one sentence."""

from __future__ import annotations

import numpy as np

from bpdemo.lab.fates import FAILED, LATE, OK, SHED, WORDS
from bpdemo.lab.frame import accepted_latencies_ms
from bpdemo.lab.records import Meta, Records

Summary = dict[str, float]


def summary_of(records: Records, meta: Meta, start_s: float = 0.0, end_s: float = 0.0) -> Summary:
    """Rates over `start_s` to `end_s`, by default the whole run.

    goodput_share = goodput / capacity: how much of what the service can sell it did sell.
    sold_share = sold / offered. Percentiles over the orders sold or too late, from the
    intended send; for a caller that left, its wait up to then (so they are a lower bound).
    What is not known is NaN.
    """
    end_s = end_s or meta.seconds
    seconds = end_s - start_s
    inside = records.where((records.t_s >= start_s) & (records.t_s < end_s))
    sent_again = np.count_nonzero(
        (records.attempt_t_s >= start_s) & (records.attempt_t_s < end_s)
    )
    capacity = float("nan") if meta.capacity_per_s is None else meta.capacity_per_s
    per_s = np.bincount(inside.fate, minlength=4) / seconds
    offered = len(inside) / seconds
    p50, p95, p99 = _percentiles(accepted_latencies_ms(inside))
    return {
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
        "sold_share": float(per_s[OK]) / offered if offered else float("nan"),
        "attempts_per_s": float(sent_again / seconds),
    }


def _percentiles(latency_ms: np.ndarray) -> tuple[float, float, float]:
    if not len(latency_ms):
        return (float("nan"),) * 3
    low, middle, high = np.percentile(latency_ms, [50, 95, 99])
    return float(low), float(middle), float(high)


def sentence_of(summary: Summary) -> str:
    """The result in words, for a title and for those who cannot see the picture."""
    offered, goodput = summary["offered_per_s"], summary["goodput_per_s"]
    if not offered:
        return "No order was offered."
    ratio = offered / summary["capacity_per_s"]
    if np.isnan(ratio):
        start = f"{offered:,.0f} orders/s offered, {summary['sold_share']:.0%} sold"
    elif ratio < 0.95:
        start = f"{times(ratio)} capacity offered, {summary['sold_share']:.0%} of orders sold"
    else:
        start = f"{times(ratio)} capacity offered, {goodput / summary['capacity_per_s']:.0%} of it sold"
    return f"{start}; {_losses(summary)}{_tail(summary)}."


def times(ratio: float) -> str:
    return f"{ratio:.1f}×" if ratio < 10 else f"{ratio:.0f}×"


def _losses(summary: Summary) -> str:
    """Every fate but sold that befell at least one order in a hundred, the worst first."""
    shares = {
        WORDS[fate]: summary[f"{fate}_per_s"] / summary["offered_per_s"]
        for fate in ("late", "shed", "failed")
    }
    worst = sorted(shares.items(), key=lambda item: -item[1])
    told = [f"{share:.0%} {word}" for word, share in worst if share >= 0.005]
    return ", ".join(told) if told else "none lost"


def _tail(summary: Summary) -> str:
    p99_ms = summary["p99_ms"]
    return "" if np.isnan(p99_ms) else f"; p99 {p99_ms:,.0f} ms"
