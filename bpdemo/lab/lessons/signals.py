"""`watch_signals`: what an operator could see of the service while a load runs at it."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import psutil

from bpdemo.core.slips import forgiving
from bpdemo.lab.services.service import Service
from bpdemo.load.loads import RunningLoad, load
from bpdemo.load.run import LoadRun

if TYPE_CHECKING:
    import pandas as pd

PERIOD_S: Final = 0.3
CPU_ALERT: Final = 0.8
"""Share of one core. One event loop can use no more than one."""
WAIT_ALERT_MS: Final = 250.0
"""Half of the client timeout in the lessons."""

WAIT: Final = "bpdemo_queue_wait_seconds"
LAG: Final = "bpdemo_event_loop_lag_seconds"


@dataclass(frozen=True)
class Signals:
    """`frame` has a row per moment: t_s since the first order, cpu_share (of one core), wait_ms
    (mean queue wait of the orders begun since the row before; NaN if none was), lag_ms (by how
    much the event loop missed its timers, mean), queue_depth."""

    frame: pd.DataFrame
    run: LoadRun

    def first_over(self, column: str, alert: float) -> float | None:
        """When `column` was first above `alert`, in seconds; None if it never was."""
        over = self.frame.loc[self.frame[column] > alert, "t_s"]
        return None if over.empty else float(over.iloc[0])

    @property
    def cpu_peak(self) -> float:
        return float(self.frame["cpu_share"].max())

    @property
    def wait_peak_ms(self) -> float:
        return float(self.frame["wait_ms"].max())

    @property
    def sentence(self) -> str:
        """Which of the two was above its alert, and when."""
        cpu = _told(self.first_over("cpu_share", CPU_ALERT), f"{self.cpu_peak:.0%}")
        wait = _told(self.first_over("wait_ms", WAIT_ALERT_MS), f"{self.wait_peak_ms:,.0f} ms")
        return f"CPU {cpu}; the queue wait {wait}."


def _told(at_s: float | None, peak: str) -> str:
    if at_s is None:
        return f"was never above {peak}"
    return f"passed its alert after {at_s:.1f} s, and reached {peak}"


@forgiving
def watch_signals(service: Service, period_s: float = PERIOD_S, **arguments: Any) -> Signals:
    """Drive `load(service, **arguments)` and sample the service meanwhile.

    Its CPU is that of a process: give it one of its own (`where="process"`), or the kernel's
    work is counted too.
    """
    from bpdemo.results.table import Table

    running: RunningLoad = load(service, background=True, **arguments)
    try:
        rows = _sample(service, running, period_s)
        return Signals(Table(rows), running.wait())
    finally:
        running.kill()


def _sample(service: Service, running: RunningLoad, period_s: float) -> list[dict[str, float]]:
    while not running.done and not running.now_s:
        pause(running, 0.02)
    rows, before = [], _Reading(service)
    while not running.done and running.now_s + period_s <= running.plan.seconds:
        pause(running, period_s)
        now = _Reading(service)
        rows.append({"t_s": round(running.now_s, 2), **now.since(before)})
        before = now
    return rows


def pause(running: RunningLoad, period_s: float) -> None:
    """Wait so long, but no longer than the load runs."""
    with contextlib.suppress(TimeoutError):
        running.wait(period_s)


class _Reading:
    """All counts at one moment; what lies between two of them is what was seen."""

    def __init__(self, service: Service) -> None:
        self.at_s = monotonic()
        self.cpu_s = _cpu_s(service.pid)
        metrics = service.metrics()
        self.sums = Counter(metrics.groupby("name")["value"].sum().to_dict())

    def since(self, before: _Reading) -> dict[str, float]:
        return {
            "cpu_share": (self.cpu_s - before.cpu_s) / (self.at_s - before.at_s),
            "wait_ms": self._mean_ms(before, WAIT),
            "lag_ms": self._mean_ms(before, LAG),
            "queue_depth": self.sums["bpdemo_queue_depth"],
        }

    def _mean_ms(self, before: _Reading, name: str) -> float:
        count = self.sums[f"{name}_count"] - before.sums[f"{name}_count"]
        total_s = self.sums[f"{name}_sum"] - before.sums[f"{name}_sum"]
        return 1000 * total_s / count if count else float("nan")


def _cpu_s(pid: int) -> float:
    # With its children: on Windows the venv's python is a launcher of the real one.
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return float(sum(each.user + each.system for each in times))
