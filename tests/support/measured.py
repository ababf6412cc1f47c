"""Runs that count. One on a busy machine proves nothing, so it is made again, once it is quiet.

Every test, script and browser that plays a real load does so through here: the number of tries, the
wait between them and the words of the last failure are the same everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

import psutil

from bpdemo.results.validity import NotMeasured

TRIES = 4
#: So long is a quiet machine waited for; then the next try begins, quiet or not.
WAIT_S = 30.0
LOOK_S = 1.0
TICK_S = 0.005
#: A timer may be late by so much (a load is told from the intended send, to the millisecond) …
LATE_MAX_S = 0.010
#: … and so much of all cores must be free, for service and load generator are about to need them.
IDLE_MIN_PERCENT = 60.0

T = TypeVar("T")


class NeverMeasured(NotMeasured):
    """The machine was too busy in every try: nothing is proved, and nothing refuted."""

    def __init__(self, tries: list[str]) -> None:
        super().__init__(tries, f"The machine was too busy in each of {len(tries)} tries.")


class Judged(Protocol):
    """What knows whether the machine kept up, as a `LoadRun` does."""

    def require_valid(self) -> object: ...


J = TypeVar("J", bound=Judged)


def measured(run: Callable[..., J], tries: int = TRIES) -> J:
    """A run that the machine kept up with. Raises `NeverMeasured` after so many that it did not."""

    def judged() -> J:
        found = run()
        found.require_valid()
        return found

    return until_measured(judged, tries)


def until_measured(attempt: Callable[[], T], tries: int = TRIES) -> T:
    """What `attempt` gives, made again each time it raises `NotMeasured`, on a machine at rest."""
    busy: list[str] = []
    while len(busy) < tries:
        if busy:
            await_quiet()
        try:
            return attempt()
        except NotMeasured as why:
            busy.append("; ".join(why.causes))
    raise NeverMeasured(busy)


def await_quiet(within_s: float = WAIT_S) -> bool:
    """Wait for a whole `LOOK_S` of a quiet machine; whether it came in that time."""
    give_up_s = time.monotonic() + within_s
    while not is_quiet():
        if time.monotonic() > give_up_s:
            return False
    return True


def is_quiet() -> bool:
    """Watch the machine for `LOOK_S`: its timers fire on time, and most of its cores are free."""
    psutil.cpu_times_percent()  # counts from here
    over_s = time.monotonic() + LOOK_S
    latest_s = 0.0
    while (began_s := time.monotonic()) < over_s:
        time.sleep(TICK_S)
        latest_s = max(latest_s, time.monotonic() - began_s - TICK_S)
    used = psutil.cpu_times_percent()
    free = used.idle + getattr(used, "nice", 0.0)  # what yields is as good as nobody
    return latest_s <= LATE_MAX_S and free >= IDLE_MIN_PERCENT
