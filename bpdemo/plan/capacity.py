"""Capacity, and loads as multiples of it: one reckoning for live runs, simulations and the command
line."""

from __future__ import annotations

from typing import Protocol

from bpdemo.plan.plan import require_range

USUAL_TIMES = 2.0


class Paced(Protocol):
    """Settings, as far as they tell how fast orders are worked off."""

    @property
    def workers(self) -> int: ...

    @property
    def payment_latency_s(self) -> float: ...

    @property
    def store_latency_s(self) -> float: ...


def capacity_of(settings: Paced) -> float | None:
    """Orders a second: workers ÷ service time. None if an order takes no time."""
    service_s = settings.payment_latency_s + settings.store_latency_s
    return settings.workers / service_s if service_s > 0 else None


def rate_of(
    times: float | None, rate: float | None, capacity_per_s: float | None, scenario: str
) -> float:
    """What to offer: `rate`, or `times` (2 unless given) the capacity.

    ValueError if both are given, or if neither says how much.
    """
    if times is not None and rate is not None:
        raise ValueError("give times or rate, not both")
    if rate is not None:
        return rate
    if scenario == "closed" or not capacity_per_s:
        if scenario == "closed":
            raise ValueError("rate must be given: a closed load counts users")
        raise ValueError(
            "rate must be given: capacity is unknown, and `times` is a multiple of it; "
            "capacity_of(target, request) measures it"
        )
    multiple = USUAL_TIMES if times is None else times
    require_range("times", multiple, 0.01, 100)
    return multiple * capacity_per_s
