"""What is known of this machine: measured by `calibrate`, kept on disk, and asked by `serve`."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Final

from bpdemo.core.members import forgiving_class
from bpdemo.lab.home import keep, recall

KEPT: Final = "calibration"
#: What serve() takes before anything was measured: a lesson that starts modest is better than one
#: whose load cannot be sent.
CAUTIOUS_WORKERS: Final = 4

#: What this kernel measured itself, kept on disk or not.
_latest: list[Calibration] = []


@forgiving_class
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
            ("orders a second they serve", f"{self.capacity_per_s:.0f}"),
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


def recalled() -> Calibration | None:
    """What was measured on this machine before, if anything."""
    try:
        kept = Calibration(**recall(KEPT))
    except TypeError:
        return None
    return kept if kept.machine == this_machine() else None


def workers() -> int:
    """The workers that `serve()` takes unless told otherwise."""
    known = _latest[-1] if _latest else recalled()
    return known.workers if known else CAUTIOUS_WORKERS


def learn(found: Calibration, *, keeps: bool) -> None:
    """Use `found` in this kernel from now on; with `keeps` in later ones as well."""
    _latest[:] = [found]
    if keeps:
        keep(KEPT, asdict(found))


def this_machine() -> str:
    facts: tuple[Any, ...] = (
        platform.node(), platform.machine(), os.cpu_count(), platform.python_version()
    )  # fmt: skip
    return " ".join(map(str, facts))
