"""What a lesson's cells use, in virtual time: their `serve` and `load` with no server and no load.

The cells, their asserts and the service's own classes stay as they are; HTTP, Locust and the clock
are left out. A mechanism that a test breaks is broken here, too.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Self

import numpy as np

from bpdemo.core.settings import Settings
from bpdemo.lab import LoadRun, simulate
from bpdemo.lab.lessons.effort import Effort

WORKERS = 8


class Office:
    """A service as far as these cells look at it: its settings, and what follows from them."""

    def __init__(self, profile: str = "protected", **knobs: Any) -> None:
        make = Settings.unprotected if profile == "unprotected" else Settings
        self.settings = make(**{"workers": WORKERS} | knobs)

    @property
    def capacity_per_s(self) -> float:
        service_s = self.settings.payment_latency_s + self.settings.store_latency_s
        return self.settings.workers / service_s

    def tune(self, **knobs: Any) -> Self:
        self.settings = self.settings.changed(knobs)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def serve(profile: str = "protected", *, name: str = "", **knobs: Any) -> Office:
    return Office(profile, **knobs)


def load(office: Office, **plan: Any) -> LoadRun:
    return simulate(office.settings, **plan)


def load_fresh(start: Callable[[], AbstractContextManager[Office]], **plan: Any) -> LoadRun:
    """As that of the services: at an office that is opened for it."""
    with start() as office:
        return load(office, **plan)


def watch_work(office: Office, **plan: Any) -> Effort:
    """As that of the lessons. The jobs finished so far are what busy workers had time for."""
    run = load(office, **plan)
    seen, per_worker_s = run.samples, office.capacity_per_s / office.settings.workers
    gaps_s = np.diff(seen.t_s, prepend=0.0)
    jobs = np.cumsum(gaps_s * seen.workers_busy * per_worker_s)
    return Effort(run, list(zip(seen.t_s.tolist(), jobs.tolist(), strict=True)))
