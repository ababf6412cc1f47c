"""The service's present state as gauges, read at the moment somebody scrapes."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bpdemo.core.events import BREAKER_STATES, DEPENDENCIES, BreakerState, Dependency

POOL_STATES = ("idle", "busy")


class GaugeSource(Protocol):
    """Whoever knows the present state; read on the event loop's thread, must not block."""

    @property
    def queue_depth(self) -> int: ...

    @property
    def queue_capacity(self) -> int:
        """-1: no bound."""
        ...

    @property
    def workers(self) -> int: ...

    @property
    def workers_busy(self) -> int: ...

    @property
    def in_flight(self) -> int: ...

    def breaker_states(self) -> Mapping[Dependency, BreakerState]:
        """A dependency that is left out has no breaker, and shows as closed."""
        ...

    def pool_counts(self) -> Mapping[str, int]:
        """Database connections that are `idle` and `busy`; one left out is 0."""
        ...


class NoSource:
    """Nothing runs yet."""

    queue_depth = 0
    queue_capacity = 0
    workers = 0
    workers_busy = 0
    in_flight = 0

    def breaker_states(self) -> Mapping[Dependency, BreakerState]:
        return {}

    def pool_counts(self) -> Mapping[str, int]:
        return {}


class GaugeCollector(Collector):
    """Asks `source` anew at every scrape, so no gauge can be stale or forgotten."""

    def __init__(self) -> None:
        self.source: GaugeSource = NoSource()

    def collect(self) -> Iterator[Metric]:
        source = self.source
        yield _plain("queue_depth", "Orders waiting in the queue.", source.queue_depth)
        yield _plain(
            "queue_capacity",
            "Orders that may wait beyond those being worked on; -1: no bound.",
            source.queue_capacity,
        )
        yield _plain("workers", "Workers there are.", source.workers)
        yield _plain("workers_busy", "Workers with an order in hand.", source.workers_busy)
        yield _plain("in_flight", "Requests inside the edge limit.", source.in_flight)
        yield self._breakers()
        yield self._pool()

    def _breakers(self) -> Metric:
        family = GaugeMetricFamily(
            "bpdemo_breaker_state",
            "1 for the state the breaker is in, 0 for the others.",
            labels=("dependency", "state"),
        )
        states = self.source.breaker_states()
        for dependency in DEPENDENCIES:
            for state in BREAKER_STATES:
                is_in = states.get(dependency, "closed") == state
                family.add_metric((dependency, state), float(is_in))
        return family

    def _pool(self) -> Metric:
        family = GaugeMetricFamily(
            "bpdemo_pool_connections", "Database connections by state.", labels=("state",)
        )
        counts = self.source.pool_counts()
        for state in POOL_STATES:
            family.add_metric((state,), counts.get(state, 0))
        return family


def _plain(name: str, text: str, value: int) -> Metric:
    return GaugeMetricFamily(f"bpdemo_{name}", text, value=value)
