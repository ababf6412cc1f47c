"""The service's present state as gauges, read at the moment somebody scrapes."""

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bpdemo.core.events import BREAKER_STATES, DEPENDENCIES
from bpdemo.core.snapshot import NOTHING, Snapshot

POOL_STATES: Final = ("idle", "busy")
#: Fields of the snapshot that are a gauge as they stand, with what each tells.
PLAIN: Final = {
    "queue_depth": "Orders waiting in the queue.",
    "queue_capacity": "Orders that may wait beyond those being worked on; -1: no bound.",
    "workers": "Workers there are.",
    "workers_busy": "Workers with an order in hand.",
    "in_flight": "Requests inside the edge limit.",
    "limit": "Orders that may be in flight, as the limit stands now; 0: no limit.",
}


class GaugeCollector(Collector):
    """Asks `source` anew at every scrape, so no gauge can be stale or forgotten.

    It is called on the event loop's thread and must not block.
    """

    def __init__(self) -> None:
        self.source: Callable[[], Snapshot] = lambda: NOTHING

    def collect(self) -> Iterator[Metric]:
        now = self.source()
        for name, text in PLAIN.items():
            yield GaugeMetricFamily(f"bpdemo_{name}", text, value=getattr(now, name))
        yield _breakers(now)
        yield _pool(now)


def _breakers(now: Snapshot) -> Metric:
    family = GaugeMetricFamily(
        "bpdemo_breaker_state",
        "1 for the state the breaker is in, 0 for the others.",
        labels=("dependency", "state"),
    )
    for dependency in DEPENDENCIES:
        for state in BREAKER_STATES:
            family.add_metric((dependency, state), float(now.breakers[dependency] == state))
    return family


def _pool(now: Snapshot) -> Metric:
    family = GaugeMetricFamily(
        "bpdemo_pool_connections", "Database connections by state.", labels=("state",)
    )
    for state in POOL_STATES:
        family.add_metric((state,), now.connections.get(state, 0))
    return family
