"""A run in ten numbers, and in one sentence."""

from __future__ import annotations

import numpy as np

from bpdemo.plan.fates import FAILED, FATES, LATE, OK, SHED, WORDS
from bpdemo.results.frame import accepted_latencies_ms
from bpdemo.results.records import Column, Meta, Records

Summary = dict[str, float]


def summary_of(records: Records, meta: Meta, start_s: float = 0.0, end_s: float = 0.0) -> Summary:
    """Rates over `start_s` to `end_s`, by default the whole run.

    goodput_share = goodput / capacity: how much of what the service can sell it did sell.
    served_share = sold / offered. goodput_of_possible = goodput / what could have been sold,
    second by second the lesser of offer and capacity: low load is not held against it.
    Percentiles are over the orders sold or too late, from the intended send; for a caller
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
        "served_share": float(per_s[OK]) / offered if offered else float("nan"),
        "goodput_of_possible": float(per_s[OK]) / _sellable_per_s(inside, capacity, start_s, end_s),
        "attempts_per_s": float(sent_again / seconds),
    }


def _sellable_per_s(records: Records, capacity: float, start_s: float, end_s: float) -> float:
    count = max(1, round(end_s - start_s))
    offered, edges = np.histogram(records.t_s, bins=count, range=(start_s, end_s))
    width_s = edges[1] - edges[0]
    sellable = float(np.minimum(offered / width_s, capacity).mean())
    return sellable or float("nan")


def _percentiles(latency_ms: Column) -> tuple[float, float, float]:
    if not len(latency_ms):
        return (float("nan"),) * 3
    low, middle, high = np.percentile(latency_ms, [50, 95, 99])
    return float(low), float(middle), float(high)


def sentence_of(summary: Summary, meta: Meta) -> str:
    """The result in words, for a title and for those who cannot see the picture."""
    if not summary["offered_per_s"]:
        return "No order was offered."
    return f"{_load(summary, meta)}: {_sold(summary)}; {_losses(summary)}{_tail(summary, meta)}."


def times(ratio: float) -> str:
    return f"{ratio:.1f}×" if ratio < 9.95 else f"{ratio:.0f}×"


def _load(summary: Summary, meta: Meta) -> str:
    if meta.scenario == "closed":
        return f"{meta.rate_per_s:,.0f} users in a closed loop"
    if meta.capacity_per_s is None:
        return f"{summary['offered_per_s']:,.0f} orders/s offered"
    steady = meta.scenario == "steady" or not meta.rate_per_s
    peak = summary["offered_per_s"] if steady else meta.rate_per_s
    ratio = f"{times(peak / meta.capacity_per_s)} capacity"
    shapes = {"ramp": "A ramp to {}", "spike": "A spike to {}", "retry_storm": "Retry storm at {}"}
    return shapes.get(meta.scenario, "{} offered").format(ratio)


def _sold(summary: Summary) -> str:
    possible = summary["goodput_of_possible"]
    if np.isnan(possible):
        return f"{summary['served_share']:.0%} of orders sold"
    return f"it sold {percent(min(1.0, possible))} of what it could"


def percent(share: float) -> str:
    """A share in percent that never rounds something to 0 nor a loss to 100."""
    if 0 < share < 0.005:
        return "under 1%"
    return f"{min(share, 0.99) if share < 1 - 1e-9 and share >= 0.995 else share:.0%}"


def _losses(summary: Summary) -> str:
    """Every fate but sold that befell at least one order in a hundred, the worst first."""
    shares = {
        WORDS[fate]: summary[f"{fate}_per_s"] / summary["offered_per_s"]
        for fate in FATES
        if fate != "ok"
    }
    worst = sorted(shares.items(), key=lambda item: -item[1])
    told = [f"{share:.0%} {word}" for word, share in worst if share >= 0.005]
    return ("of all orders " + ", ".join(told)) if told else "no order lost"


def _tail(summary: Summary, meta: Meta) -> str:
    p99_ms, client_timeout_ms = summary["p99_ms"], meta.client_timeout_s * 1000
    if np.isnan(p99_ms):
        return ""
    # Those who hung up would have waited longer: their wait is only a lower bound.
    if p99_ms >= client_timeout_ms:
        return f"; p99 beyond {client_timeout_ms:,.0f} ms"
    return f"; p99 {p99_ms:,.0f} ms"
