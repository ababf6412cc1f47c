"""The queue lab: one overload, eight ways to queue.

Eight workers with exponential service, the same seeded arrivals for every way, callers who leave
after 500 ms; in virtual time, through the service's own code, so the machine has no part in it.
Judged from a third of the run on, when every queue is what it will be. *Wasted* is the work done
for callers who had left: the share of the workers' time, less what was served in time. Room is for
64: 0.7 of the longest useful queue, far more than the workshop advises, so that it matters whose
turn it is. Adaptive LIFO is oldest first until the queue has not been empty for 200 ms, then newest
first.
"""

from __future__ import annotations

import statistics

import numpy as np
import plotly.graph_objects as go

from benchmarks.drawing import COLOURS, framed
from benchmarks.measured import Found, Report, Say, Size, Table
from bpdemo.core.settings import Settings
from bpdemo.lab.services.simulation import simulate

WORKERS, ROOM = 8, 64
LOADS = (1.2, 3.0)
COLUMNS = (
    "served in time, share of capacity",
    "p99 of those served, ms",
    "wasted, share of capacity",
)
BOUNDED = {"workers": WORKERS, "queue_capacity": ROOM, "request_timeout_s": 0}

WAYS: dict[str, Settings] = {
    "no queue": Settings(workers=WORKERS, queue_capacity=0, request_timeout_s=0),
    "FIFO, bounded": Settings(**BOUNDED),
    "LIFO, bounded": Settings(**BOUNDED, queue_discipline="lifo"),
    "adaptive LIFO, bounded": Settings(**BOUNDED, queue_discipline="adaptive_lifo"),
    "CoDel": Settings(**BOUNDED, queue_discipline="codel"),
    "priority": Settings(**BOUNDED, queue_discipline="priority"),
    "FIFO, no bound": Settings.unprotected(workers=WORKERS),
    "LIFO, no bound": Settings.unprotected(workers=WORKERS, queue_discipline="lifo"),
}
PRIORITIES = {0: 1.0, 1: 2.0, 3: 1.0}


def measure(size: Size, say: Say) -> Found:
    seconds = 8 * size.seconds
    tables, goodput = [], {}
    for times in LOADS:
        rows = {}
        for way in WAYS:
            say(f"{way} at {times:g} times capacity")
            rows[way] = _row(way, times, seconds, size.rounds)
        goodput[times] = {way: statistics.median(cells[0]) for way, cells in rows.items()}
        tables.append(Table(title=f"At ×{times:g}", columns=list(COLUMNS), rows=rows))
    return Found(
        Report(
            title="The queue lab",
            what=__doc__ or "",
            logs="off",
            tables=tables,
            notes=[f"a round is a seed: {size.rounds} of {seconds:g} virtual seconds each"],
            pictures=["queues"],
        ),
        {"queues": _figure(goodput)},
    )


def _row(way: str, times: float, seconds: float, seeds: int) -> list[list[float]]:
    found = [_one(way, times, seconds, seed) for seed in range(seeds)]
    return [
        [figure for each in found if (figure := each[column]) is not None]
        for column in range(len(COLUMNS))
    ]


def _one(way: str, times: float, seconds: float, seed: int) -> tuple[float | None, ...]:
    """A figure for each column; none where nothing was served."""
    run = simulate(
        WAYS[way].changed({"payment_latency_distribution": "exponential"}),
        times=times,
        seconds=seconds,
        seed=seed,
        priorities=PRIORITIES if way == "priority" else None,
    )
    begin_s, records, samples = seconds / 3, run.records, run.samples
    took_s = records.latency_s[(records.status == 201) & (records.t_s >= begin_s)]
    p99_ms = 1000 * float(np.percentile(took_s, 99)) if len(took_s) else None
    settled = (samples.t_s >= begin_s) & (samples.t_s <= seconds)
    busy_share = float(samples.workers_busy[settled].mean()) / WORKERS
    sold = float(run.between(begin_s, seconds)["goodput_share"])
    return sold, p99_ms, max(0.0, busy_share - sold)


def _figure(goodput: dict[float, dict[str, float]]) -> go.Figure:
    bars = [
        go.Bar(
            name=f"×{times:g}",
            x=[way.replace(", ", ",<br>") for way in sold],
            y=list(sold.values()),
            marker_color=colour,
        )
        for (times, sold), colour in zip(goodput.items(), COLOURS, strict=False)
    ]
    return framed(
        go.Figure(bars),
        title="What is served in time, by the way of queueing",
        x="",
        y="served in time (share of capacity)",
    )
