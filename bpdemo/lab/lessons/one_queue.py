"""The least that a limit can stand before: one queue, oldest first, and its workers.

A hundred times as fast as the service's own code, so that a limit can be watched for an hour while
a learner waits. It has no retries, deadlines or hang-ups that are heeded, and is a model; what it
says of a limit's drift, the service says too, and a test holds that.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush, heapreplace
from random import Random

from bpdemo.flow.limiter import Limit


def goodput_by_minute(
    limit: Limit,
    service_s: Callable[[float], float],
    *,
    workers: int,
    rate_per_s: float,
    minutes: int,
    client_timeout_s: float = 0.5,
    seed: int = 0,
) -> list[float]:
    """What was served in time in each minute, as a share of the lesser of offer and capacity.

    Arrivals are Poisson at `rate_per_s`; an order that begins at t s takes a worker `service_s(t)`.
    """
    chance, now, end_s = Random(seed), 0.0, 60.0 * minutes
    free_s = [0.0] * workers  # when each worker is free
    heapify(free_s)
    inside: list[tuple[float, float]] = []  # of each order when it ends, and when it came
    served = [0] * minutes
    while (now := now + chance.expovariate(rate_per_s)) < end_s:
        while inside and inside[0][0] <= now:
            _end(limit, inside)
        if len(inside) >= limit.current:
            continue
        begins_s = max(now, free_s[0])
        ends_s = begins_s + service_s(begins_s)
        heapreplace(free_s, ends_s)
        heappush(inside, (ends_s, now))
        served[int(now // 60)] += ends_s - now <= client_timeout_s
    possible = [
        60 * min(rate_per_s, workers / service_s(60.0 * minute + 30)) for minute in range(minutes)
    ]
    return [count / most for count, most in zip(served, possible, strict=True)]


def _end(limit: Limit, inside: list[tuple[float, float]]) -> None:
    in_flight = len(inside)
    ends_s, came_s = heappop(inside)
    limit.learn(
        in_flight, ends_s - came_s, dropped=False, now=ends_s, was_full=in_flight >= limit.current
    )
