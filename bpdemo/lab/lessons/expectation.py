"""What settings would serve of what is possible, tried in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bpdemo.lab.services.simulation import simulate

SLOWER: Final = (1.0, 1.5, 2.0, 3.0)
"""How many times as long the dependency takes."""
LOAD: Final = 0.9
"""Share of capacity that is offered."""
ORDERS: Final = 1000
LONGEST_S: Final = 3500.0
"""What is simulated at most; so a slower service is tried as one that just fits."""
MOST_WORKERS: Final = 32
"""More workers than this are smoother, not different, and would take longer to try."""
LONGEST_DEADLINE: Final = 100.0

Knobs = Callable[[int, float, float], Mapping[str, float]]


def expected(
    knobs_for: Knobs, workers: int, service_s: float, deadline_in_services: float
) -> dict[float, float]:
    """Goodput ÷ min(offered, workers ÷ mean service) for each of `SLOWER`, at 0.9 × capacity.

    Service times are exponential. `knobs_for(workers, service_s, deadline_s)` sizes the service
    that is tried: it has at most 32 workers. Its service time is its own, since the retry budget
    and the breaker look back some seconds; but no shorter than 0.1 s, where that no longer matters.
    """
    workers = min(workers, MOST_WORKERS)
    in_services = min(deadline_in_services, LONGEST_DEADLINE)
    longest_s = min(LONGEST_S * LOAD * workers / ORDERS, LONGEST_S / in_services)
    service_s = min(longest_s, max(0.1, service_s))
    deadline_s = service_s * in_services
    knobs: dict[str, Any] = {
        **knobs_for(workers, service_s, deadline_s),
        "store_latency_s": 0,
        "payment_latency_distribution": "exponential",
    }
    return {times: _share(knobs, workers, service_s, times) for times in SLOWER}


def _share(knobs: Mapping[str, Any], workers: int, service_s: float, times: float) -> float:
    per_s = LOAD * workers / service_s
    seconds = ORDERS / per_s
    slowed = [(seconds / 20, {"payment_latency_s": times * service_s})]
    timeout_s = knobs["request_timeout_s"]
    run = simulate(
        knobs, rate=per_s, seconds=seconds, bin_s=seconds / 20, client_timeout_s=timeout_s,
        changes=slowed,
    )  # fmt: skip
    after = run.between(seconds / 4, seconds)
    possible_per_s = min(after["offered_per_s"], workers / (times * service_s))
    return min(1.0, float(after["goodput_per_s"] / possible_per_s))
