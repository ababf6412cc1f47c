"""Runs in virtual time for the table of claims."""

from __future__ import annotations

from typing import Any

from bpdemo.core.settings import Settings
from bpdemo.lab import LoadRun, simulate

WORKERS = 8


def naive(**knobs: Any) -> Settings:
    """The unprotected service of the lessons, and what is turned on in it."""
    return Settings.unprotected(**{"workers": WORKERS} | knobs)


def careful(**knobs: Any) -> Settings:
    """The protected one."""
    return Settings(**{"workers": WORKERS} | knobs)


def slowed(settings: Settings, by: float) -> Settings:
    """The same settings, chosen for another dependency: its payment takes `by` times as long."""
    return settings.changed({"payment_latency_s": settings.payment_latency_s * by})


def played(
    settings: Settings,
    *,
    times: float = 2.0,
    slower: float = 1.0,
    seconds: float = 12,
    **crowd: Any,
) -> LoadRun:
    """A load of `times` the capacity that the service has while its payment is as usual."""
    usual_per_s = settings.workers / (settings.payment_latency_s + settings.store_latency_s)
    return simulate(slowed(settings, slower), rate=times * usual_per_s, seconds=seconds, **crowd)


def goodput(settings: Settings, *, after_s: float = 4.0, seconds: float = 12, **load: Any) -> float:
    """Served in time after `after_s`, as a share of what was possible (of capacity, or offer)."""
    run = played(settings, seconds=seconds, **load)
    return run.between(after_s, seconds)["goodput_of_possible"]
