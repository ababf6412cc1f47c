"""`size`: from three figures of one's own system to the settings that protect it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import ceil
from typing import Final

from bpdemo.picture.palette import FONT
from bpdemo.plan.plan import require_range

MARGIN: Final = 0.7
"""Share of the longest useful queue to allow: service times scatter, and a cliff is near."""


@dataclass(frozen=True)
class Sizing:
    """Settings with the reckoning behind each. `knobs` goes into `serve` or `simulate`."""

    capacity_per_s: float
    cliff: int
    knobs: dict[str, float]
    rows: tuple[tuple[str, str, str], ...]

    def _repr_html_(self) -> str:
        lines = "".join(
            "<tr>"
            + "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in row)
            + "</tr>"
            for row in self.rows
        )
        return f"<table style='font:17px {FONT}'>{lines}</table>"

    def __repr__(self) -> str:
        return "\n".join(f"{what}: {value} ({why})" for what, value, why in self.rows)


def size(*, workers: int, service_s: float, deadline_s: float) -> Sizing:
    """What to set for `workers` that take `service_s` each, and callers who wait `deadline_s`.

    capacity = workers ÷ service time. The longest useful queue is (deadline − service) × capacity:
    whoever stands further back is served after he has gone. Of that, 0.7 is allowed. An attempt
    may take three times its usual time; refusals may be retried for a tenth of the orders.
    ValueError for figures out of range, or a deadline that is not longer than the service.
    """
    require_range("workers", workers, 1, 1024)
    require_range("service_s", service_s, 0.001, 3600)
    require_range("deadline_s", deadline_s, service_s, 3600)
    capacity_per_s = workers / service_s
    cliff = int((deadline_s - service_s) * capacity_per_s)
    attempt_s = min(3 * service_s, deadline_s)
    calls = min(10_000, max(10, ceil(capacity_per_s / 2)))
    knobs = {
        "workers": workers,
        "payment_latency_s": service_s,
        "queue_capacity": int(MARGIN * cliff),
        "request_timeout_s": deadline_s,
        "attempt_timeout_s": attempt_s,
        "retry_budget_ratio": 0.1,
        "breaker_min_calls": calls,
        # While calls hang, workers ÷ attempt_s of them end in a second: it must see enough.
        "breaker_window_s": min(3600.0, max(10.0, 2 * calls * attempt_s / workers)),
    }
    return Sizing(capacity_per_s, cliff, knobs, _rows(workers, service_s, deadline_s, cliff, knobs))


def _rows(
    workers: int, service_s: float, deadline_s: float, cliff: int, knobs: dict[str, float]
) -> tuple[tuple[str, str, str], ...]:
    capacity_per_s = workers / service_s
    room = f"({deadline_s:g} s − {service_s:g} s) × {capacity_per_s:.3g}/s = {cliff}"
    return (
        ("capacity", f"{capacity_per_s:.3g} a second", f"{workers} workers ÷ {service_s:g} s"),
        ("waiting room", f"{knobs['queue_capacity']:g}", f"{room}, of which 0.7"),
        ("deadline", f"{deadline_s:g} s", "as long as callers wait; it travels with the order"),
        (
            "one attempt",
            f"{knobs['attempt_timeout_s']:g} s",
            "three times the usual, never beyond the deadline",
        ),
        ("retry budget", "0.1", "one retry for every ten orders, whatever happens"),
        (
            "breaker",
            f"{knobs['breaker_min_calls']:g} calls in {knobs['breaker_window_s']:g} s",
            "half a second's worth of calls, never a handful; time for them to end if they hang",
        ),
    )
