"""What queueing theory says a service should do, to hold a measurement against.

Sources: Gross, Shortle, Thompson and Harris, *Fundamentals of Queueing Theory* (4th ed., Wiley
2008), sections 2.3 to 2.5; Kleinrock, *Queueing Systems* vol. 1 (Wiley 1975), chapter 3; Little,
"A proof for the queuing formula L = λW", Operations Research 9 (1961).

`RetryStorm` is a fluid model of ours: `storm.py` has it.
"""

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from bpdemo.core.members import forgiving_class, tell_missing
from bpdemo.core.ranges import plain
from bpdemo.core.slips import forgiving
from bpdemo.sim.storm import RetryStorm

__all__ = ["QueueTheory", "RetryStorm", "little", "mmck"]

TINY: Final = sys.float_info.min
MOST: Final = 2_000_000
"""Servers or places: more than any setting allows, and few enough to add up in a second or two."""


def __getattr__(name: str) -> Any:
    raise tell_missing("theory", name, sys.modules[__name__])


@forgiving_class
@dataclass(frozen=True, slots=True)
class QueueTheory:
    """The steady state of an M/M/c/K queue. Rates are per second.

    `mean_wait_s` is the time in the queue, before service, of the customers that were admitted.
    `mean_in_system` counts those in the queue and those in service.
    """

    blocking_probability: float
    throughput_per_s: float
    utilisation: float
    mean_in_system: float
    mean_in_queue: float
    mean_wait_s: float


@forgiving
def little(arrival_rate_per_s: float, mean_time_s: float) -> float:
    """How many are inside, on average: L = λW (Little 1961).

    True of any system in which as many leave as enter, whatever its order and distributions. λ
    counts those that enter, so not the refused.
    """
    entering_per_s = _number("arrival_rate_per_s", arrival_rate_per_s)
    return entering_per_s * _number("mean_time_s", mean_time_s)


@forgiving
def mmck(
    arrival_rate: float, service_rate: float, servers: int, capacity: int | None
) -> QueueTheory:
    """Poisson arrivals at λ, c servers of exponential rate μ each, room for K: who is refused?

    `capacity` is K, the places in service included (workers + queue_capacity); None is no bound,
    and then λ must be below cμ. An arrival that finds K inside is refused. The steady state is
    p[n] / p[n-1] = λ / (min(n, c) μ) for 1 ≤ n ≤ K, blocking is p[K] (Gross 2.5, Kleinrock 3.5);
    with no bound, the queue follows Erlang's C formula (Gross 2.3). With λ = 0 the wait is the
    limit of light traffic, 0. Takes time in proportion to K, or to c with no bound; neither may be
    above `MOST`. Numbers may be numpy's. Raises ValueError for what is no rate or no count.
    """
    arrival_rate = _number("arrival_rate", arrival_rate)
    service_rate = _number("service_rate", service_rate, positive=True)
    servers = _count("servers", servers, at_least=1)
    offered_load = arrival_rate / service_rate
    if not offered_load < math.inf:
        raise ValueError(
            f"service_rate={service_rate!r} is too small beside arrival_rate={arrival_rate!r}: "
            "their ratio must be finite"
        )
    if capacity is None:
        return _unbounded(offered_load, service_rate, servers)
    capacity = _count("capacity", capacity, at_least=servers)
    return _bounded(offered_load, service_rate, servers, capacity)


def _bounded(load: float, service_rate: float, servers: int, capacity: int) -> QueueTheory:
    weights = dict(_weights(load, servers, capacity))
    total = math.fsum(weights.values())
    busy = math.fsum(min(n, servers) * w for n, w in weights.items()) / total
    queued = math.fsum((n - servers) * w for n, w in weights.items() if n > servers) / total
    return _result(weights.get(capacity, 0.0) / total, busy, queued, service_rate, servers)


def _weights(load: float, servers: int, capacity: int) -> Iterator[tuple[int, float]]:
    """(n, p[n] / p[mode]), outward from the likeliest n: no weight is above 1, so none overflows.

    States too unlikely for a float are left out: below `TINY` a product rounds to a float that it
    may never leave again.
    """
    mode = capacity if load >= servers else min(int(load), capacity)
    weight = 1.0
    for n in range(mode, capacity + 1):
        if n > mode:
            weight *= load / min(n, servers)
        if weight < TINY:
            break
        yield n, weight
    weight = 1.0
    for n in range(mode, 0, -1):
        weight *= min(n, servers) / load
        if weight < TINY:
            break
        yield n - 1, weight


def _unbounded(load: float, service_rate: float, servers: int) -> QueueTheory:
    if load >= servers:
        raise ValueError(
            f"arrival_rate={load * service_rate:g} must be below servers × service_rate = "
            f"{servers * service_rate:g} when capacity is None: a queue without a bound would "
            "grow for ever"
        )
    # Erlang's B by its recurrence: a ratio below 1 at every step (Gross 2.5.1).
    erlang_b = 1.0
    for n in range(1, servers + 1):
        erlang_b = load * erlang_b / (n + load * erlang_b)
    use = load / servers
    erlang_c = erlang_b / (1.0 - use * (1.0 - erlang_b))
    return _result(0.0, load, erlang_c * use / (1.0 - use), service_rate, servers)


def _result(
    blocking: float, busy: float, queued: float, service_rate: float, servers: int
) -> QueueTheory:
    """Throughput is what the servers finish: exact even where nearly all are refused."""
    throughput = busy * service_rate
    return QueueTheory(
        blocking_probability=blocking,
        throughput_per_s=throughput,
        utilisation=busy / servers,
        mean_in_system=queued + busy,
        mean_in_queue=queued,
        mean_wait_s=queued / throughput if throughput else 0.0,
    )


def _number(field: str, value: Any, *, positive: bool = False) -> float:
    found = plain(value)
    is_number = isinstance(found, (int, float)) and not isinstance(found, bool)
    if not is_number or not (0.0 <= found <= sys.float_info.max) or (positive and not found):
        raise ValueError(f"{field}={value!r} must be finite and {'> 0' if positive else '≥ 0'}")
    return float(found)


def _count(field: str, value: Any, *, at_least: int) -> int:
    """Python's own whole number: those of numpy are taken, but have a largest one."""
    found = plain(value)
    is_whole = isinstance(found, int) and not isinstance(found, bool)
    if not is_whole or not at_least <= found <= MOST:
        raise ValueError(f"{field}={value!r} must be a whole number ≥ {at_least} and ≤ {MOST}")
    return int(found)
