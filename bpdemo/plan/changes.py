"""Knobs that turn by themselves while a load runs: the payment fails, and comes back."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from bpdemo.plan.plan import require_range

Change = tuple[float, Mapping[str, Any]]
"""When, in seconds from the start of a load, and which knobs with their new values."""

LOOK_S: Final = 0.01
#: A payment this slow answers nobody any more.
HANGS_S: Final = 60.0


class Running(Protocol):
    """The load whose time counts."""

    @property
    def done(self) -> bool: ...

    @property
    def now_s(self) -> float: ...

    def mark(self, text: str) -> None: ...

    def note_capacity(self, capacity_per_s: float | None) -> None: ...


def require_changes(changes: Sequence[Change], seconds: float) -> list[Change]:
    """The changes in order of time; ValueError for one that lies outside the load."""
    for at_s, _ in changes:
        require_range("changes", at_s, 0, seconds)
    return sorted(changes, key=lambda change: change[0])


def turn_in_time(service: Any, running: Running, changes: Sequence[Change]) -> threading.Thread:
    """Turn the knobs of `service` (its `tune`) when `running` gets there, and mark it.

    In a thread of its own, which ends with the load. TypeError for a service without knobs.
    """
    if not callable(getattr(service, "tune", None)):
        raise TypeError(f"changes need a service with knobs to tune, not {service!r}")
    thread = threading.Thread(target=_turn, args=(service, running, changes), daemon=True)
    thread.start()
    return thread


def told(knobs: Mapping[str, Any]) -> str:
    """What a turn of these knobs is called in the picture."""
    return ", ".join(_told(name, value) for name, value in knobs.items())


def _turn(service: Any, running: Running, changes: Sequence[Change]) -> None:
    pause = threading.Event()  # nobody sets it: a sleep
    for at_s, knobs in changes:
        while running.now_s < at_s:
            if running.done:
                return
            pause.wait(LOOK_S)
        running.mark(told(knobs))
        service.tune(**knobs)
        running.note_capacity(getattr(service, "capacity_per_s", None))


def _told(name: str, value: Any) -> str:
    match name:
        case "payment_latency_s" if value >= HANGS_S:
            return "payment hangs"
        case "payment_latency_s":
            return f"payment takes {value * 1000:.0f} ms"
        case "payment_outage":
            return "payment down" if value else "payment back"
        case _:
            return f"{name} {value}"
