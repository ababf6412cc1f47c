"""Turns the knobs of a running service when its load gets there."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final, Protocol

from bpdemo.plan.changes import Change, told

LOOK_S: Final = 0.01


class Running(Protocol):
    """The load whose time counts."""

    @property
    def done(self) -> bool: ...

    @property
    def now_s(self) -> float: ...

    def mark(self, text: str) -> None: ...

    def note_capacity(self, capacity_per_s: float | None) -> None: ...


def turn_in_time(service: Any, running: Running, changes: Sequence[Change]) -> threading.Thread:
    """Turn the knobs of `service` (its `tune`) when `running` gets there, and mark it.

    In a thread of its own, which ends with the load. TypeError for a service without knobs.
    """
    if not callable(getattr(service, "tune", None)):
        raise TypeError(f"changes need a service with knobs to tune, not {service!r}")
    thread = threading.Thread(target=_turn, args=(service, running, changes), daemon=True)
    thread.start()
    return thread


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
