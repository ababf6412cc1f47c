"""What settings would serve of what is possible, tried in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bpdemo.lab.services.simulation import simulate

SLOWER: Final = (1.0, 1.5, 2.0, 3.0)
"""How many times as long the dependency takes."""
ORDERS: Final = 1000
SERVICE_S: Final = 0.1
MOST_WORKERS: Final = 32
"""More workers than this are smoother, not different, and would take longer to try."""
LONGEST_DEADLINE: Final = 100.0

Knobs = Callable[[int, float, float], Mapping[str, float]]


def expected(knobs_for: Knobs, workers: int, deadline_in_services: float) -> dict[float, float]:
    """Goodput ÷ min(offered, workers ÷ mean service) for each of `SLOWER`, at 0.9 × capacity.

    Service times are exponential. `knobs_for(workers, service_s, deadline_s)` sizes the service
    that is tried: it has at most 32 workers, and its service time is 0.1 s, since only the ratio
    to the deadline matters.
    """
    workers = min(workers, MOST_WORKERS)
    deadline_s = SERVICE_S * min(deadline_in_services, LONGEST_DEADLINE)
    knobs: dict[str, Any] = {
        **knobs_for(workers, SERVICE_S, deadline_s),
        "store_latency_s": 0,
        "payment_latency_distribution": "exponential",
    }
    return {times: _share(knobs, workers, deadline_s, times) for times in SLOWER}


def _share(knobs: Mapping[str, Any], workers: int, deadline_s: float, times: float) -> float:
    per_s = 0.9 * workers / SERVICE_S
    seconds = ORDERS / per_s
    slowed = [(seconds / 20, {"payment_latency_s": times * SERVICE_S})]
    run = simulate(
        knobs, rate=per_s, seconds=seconds, bin_s=seconds / 20, client_timeout_s=deadline_s,
        changes=slowed,
    )  # fmt: skip
    after = run.between(seconds / 4, seconds)
    possible_per_s = min(after["offered_per_s"], workers / (times * SERVICE_S))
    return min(1.0, float(after["goodput_per_s"] / possible_per_s))
