"""`calibrate`: what this machine can do, measured once and kept.

Capacity is a property of the machine. The lessons speak of multiples of it only, and so the same
lesson tells the same story on a laptop and on a server, provided that the load generator can send
the highest multiple. So `workers` is chosen to fit what the machine can send.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from dataclasses import asdict, dataclass
from html import escape
from math import floor
from typing import Any, Final

from bpdemo.core.settings import Settings
from bpdemo.lab.home import keep, recall
from bpdemo.lab.measures import (
    loop_lag_p99_s,
    measured_capacity_per_s,
    send_rate_per_s,
    timer_tick_s,
)
from bpdemo.lab.verdict import LOOP_LAG_MAX_S

KEPT: Final = "calibration"
MOST_WORKERS: Final = 8
#: What serve() takes before anything was measured: a lesson that starts modest is better than one
#: whose load cannot be sent.
CAUTIOUS_WORKERS: Final = 4
#: Lessons go up to ten times capacity, which may need half of what the machine can send.
HIGHEST_TIMES: Final = 10
SENDING_SHARE: Final = 0.5


#: What this kernel measured itself, kept on disk or not.
_latest: list[Calibration] = []


@dataclass(frozen=True, slots=True)
class Calibration:
    """Measured on this machine; times in seconds, rates in orders a second."""

    workers: int
    capacity_per_s: float
    send_rate_per_s: float
    timer_tick_s: float
    loop_lag_p99_s: float
    measured_at: str
    machine: str

    def __str__(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        return [
            ("workers that fit this machine", f"{self.workers}"),
            ("orders a second they work off", f"{self.capacity_per_s:.0f}"),
            ("orders a second this machine can send", f"{self.send_rate_per_s:,.0f}"),
            ("a timer fires within", f"{self.timer_tick_s * 1000:.1f} ms"),
            ("event-loop lag at rest (p99)", f"{self.loop_lag_p99_s * 1000:.1f} ms"),
            ("measured", self.measured_at),
        ]

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><td style='text-align:left;padding-right:2em'>{escape(name)}</td>"
            f"<td style='text-align:right'><b>{escape(value)}</b></td></tr>"
            for name, value in self._rows()
        )
        return f"<table style='font-size:16px'>{cells}</table>"


def calibrate(force: bool = False) -> Calibration:
    """Measure this machine, or recall what was measured on it before; `force` measures again.

    Takes about ten seconds, and tells what it is doing. What was measured while the machine was
    busy with something else is used, but not kept.
    """
    kept = recalled()
    if kept is not None and not force:
        return kept
    found = _measure()
    _latest[:] = [found]
    if found.loop_lag_p99_s <= LOOP_LAG_MAX_S:
        keep(KEPT, asdict(found))
    return found


def recalled() -> Calibration | None:
    """What was measured on this machine before, if anything."""
    try:
        kept = Calibration(**recall(KEPT))
    except TypeError:
        return None
    return kept if kept.machine == _machine() else None


def workers() -> int:
    """The workers that `serve()` takes unless told otherwise."""
    known = _latest[-1] if _latest else recalled()
    return known.workers if known else CAUTIOUS_WORKERS


def _measure() -> Calibration:
    say("How fine are the timers?")
    tick_s = timer_tick_s()
    lag_s = loop_lag_p99_s()
    say("How many orders a second can this machine send?")
    sent_per_s = send_rate_per_s()
    count = workers_for(sent_per_s)
    say(f"What do {count} workers work off?")
    capacity_per_s = measured_capacity_per_s(count)
    say("")
    return Calibration(
        workers=count,
        capacity_per_s=round(capacity_per_s, 1),
        send_rate_per_s=round(sent_per_s),
        timer_tick_s=round(tick_s, 5),
        loop_lag_p99_s=round(lag_s, 5),
        measured_at=time.strftime("%Y-%m-%d %H:%M"),
        machine=_machine(),
    )


def workers_for(send_rate_per_s: float) -> int:
    """As many as can be offered ten times their capacity with half of that send rate."""
    s = Settings()
    each_per_s = 1 / (s.payment_latency_s + s.store_latency_s)
    fitting = floor(SENDING_SHARE * send_rate_per_s / (HIGHEST_TIMES * each_per_s))
    return max(1, min(MOST_WORKERS, fitting))


def say(text: str) -> None:
    """One line of progress that takes the place of the last, where somebody watches."""
    if sys.stdout.isatty() or "ipykernel" in sys.modules:
        print(f"\r{text:<60}", end="" if text else "\r", flush=True)


def _machine() -> str:
    facts: tuple[Any, ...] = (
        platform.node(), platform.machine(), os.cpu_count(), platform.python_version()
    )  # fmt: skip
    return " ".join(map(str, facts))
