"""The figures that a verdict rests on, read out of runs. Pure."""

from __future__ import annotations

from math import inf
from typing import Final

import numpy as np

from bpdemo.cli.judge.grading import Cause
from bpdemo.load.run import LoadRun
from bpdemo.plan.fates import OK, SHED

#: Of the answers of half a second: served again.
SERVED_AGAIN: Final = 0.9


def kept(run: LoadRun, capacity_per_s: float, fill_s: float) -> float:
    """Goodput as a share of capacity, without the first seconds, in which queues fill."""
    return run.between(fill_s, run.meta.seconds)["goodput_per_s"] / capacity_per_s


def lost_to(run: LoadRun, capacity_per_s: float, fill_s: float) -> Cause:
    """Where most of the goodput that was lost can have gone, over the same seconds as `kept`.

    A late answer may have cost what a served one does: where there are enough of them for half of
    what was lost, that is where the work went. Errors may come cheap; where they are enough, or
    both together, it is the larger of the two. With few of either, it is rejections that cost
    too much, or are too many.
    """
    found = run.between(fill_s, run.meta.seconds)
    half_lost_per_s = (capacity_per_s - found["goodput_per_s"]) / 2
    late_per_s, failed_per_s = found["late_per_s"], found["failed_per_s"]
    if late_per_s + failed_per_s < half_lost_per_s:
        return "refused"
    return "late" if late_per_s >= min(half_lost_per_s, failed_per_s) else "failed"


def failed_share(run: LoadRun, fill_s: float) -> float:
    """What failed of what was offered, over those seconds."""
    found = run.between(fill_s, run.meta.seconds)
    return found["failed_per_s"] / (found["offered_per_s"] or inf)


def stayed_share(run: LoadRun, fill_s: float) -> float:
    """Served in time of what was offered, without the first seconds, in which queues fill."""
    return run.between(fill_s, run.meta.seconds)["served_share"]


def recovered_s(run: LoadRun) -> float:
    """How long after the spike nearly everything was served in time again, and stayed so."""
    frame, ends_s = run.frame, run.meta.seconds * 2 / 3
    after = frame[(frame["t_s"] >= ends_s) & (frame["offered_per_s"] > 0)]
    served = (after["ok_per_s"] / after["offered_per_s"]).to_numpy() >= SERVED_AGAIN
    if not len(served) or not served[-1]:
        return inf
    lost = np.flatnonzero(~served)
    return float(after["t_s"].to_numpy()[lost[-1] + 1] - ends_s) if len(lost) else 0.0


def refusal_cost_of(
    half: LoadRun, half_cpu_s: float | None, five: LoadRun, five_cpu_s: float | None
) -> float | None:
    """CPU time of a rejection, as a share of a served request's: what the service took at 5×,
    less what its served requests cost at half load, over the rejections."""
    served, refused = count(half, OK), count(five, SHED)
    if half_cpu_s is None or five_cpu_s is None or not served or not refused:
        return None
    each_s = half_cpu_s / served
    if each_s <= 0:
        return None
    return (five_cpu_s - count(five, OK) * each_s) / refused / each_s


def count(run: LoadRun, fate: int) -> int:
    return int((run.records.fate == fate).sum())


def share(run: LoadRun, fate: int) -> float:
    return count(run, fate) / max(1, len(run.records))


def p99_s(run: LoadRun, fate: int) -> float:
    latencies = run.records.latency_s[run.records.fate == fate]
    return float(np.percentile(latencies, 99)) if len(latencies) else 0.0
