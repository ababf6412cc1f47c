"""Every number the service publishes, in a Prometheus registry of its own.

Label values come from the closed sets of `core.events`, so every series is there from the start
and shows 0. Whatever falls outside its set is counted as `other`: nothing that arrives from
outside can grow the number of series.
"""

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Info,
    PlatformCollector,
    ProcessCollector,
)

from bpdemo import __version__
from bpdemo.core import events
from bpdemo.core.events import ATTEMPT_OUTCOMES, BREAKER_STATES, DEPENDENCIES, Event
from bpdemo.core.snapshot import Snapshot
from bpdemo.telemetry.exposition import render
from bpdemo.telemetry.gauges import GaugeCollector
from bpdemo.telemetry.instruments import Counter, Histogram

OTHER = "other"
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
#: Far more than the routes can yield; it holds even if a path slipped in for a route.
MAX_HTTP_SERIES = 400

_WAIT_BUCKETS_S = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75),
    *(1.0, 1.5, 2.0, 3.0, 5.0, 10.0),
)
# Fewer, since these are multiplied by method, route and status.
_HTTP_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 5.0, 10)
_LAG_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """Hears events and counts them; `watch` tells it where the gauges are read."""

    def __init__(self, trace_id: Callable[[], str | None] | None = None) -> None:
        """`trace_id` is that of the trace which is being recorded, if one is: the histograms show
        it as an exemplar, so that a slow bucket leads to a slow order."""
        self._trace_id = trace_id
        self.registry = CollectorRegistry()
        self._gauges = GaugeCollector()
        self.registry.register(self._gauges)
        self._hear = self._order_events() | self._dependency_events() | self._edge_events()

    def describe_process(self) -> None:
        """Show what every service of the trade shows: `process_*`, `python_info`, `python_gc_*` and
        the version. Of the process it is in: two services of one process show the same."""
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        build = Info("bpdemo_build", "The version that runs.", registry=self.registry)
        build.info({"version": __version__})

    def watch(self, source: Callable[[], Snapshot]) -> None:
        """Read the gauges from what `source` gives, from now on."""
        self._gauges.source = source

    def observe(self, event: Event, /) -> None:
        self._hear[type(event)](event)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Body and content type of `GET /metrics`, for the caller's `Accept`."""
        return render(self.registry, accept)

    def _order_events(self) -> "_Handlers":
        admitted = self._counter("admitted", "Callers of POST /orders that got a place.")
        rejected = self._counter(
            "rejected", "Callers of POST /orders rejected before they had a place.", "reason"
        )
        jobs = self._counter("jobs", "What became of admitted callers.", "outcome")
        waited = self._histogram("queue_wait_seconds", "Time orders waited for a worker.")
        served = self._histogram("service_seconds", "Time a worker spent on an order.")
        count_rejected = _Children(rejected, events.REJECTIONS)
        count_ended = _Children(jobs, events.OUTCOMES)
        observe_wait, observe_service = map(self._observing, (waited, served))
        return {
            events.OrderAdmitted: lambda _: admitted.inc(),
            events.OrderRejected: lambda event: count_rejected[event.reason](),
            events.OrderEnded: lambda event: count_ended[event.outcome](),
            events.JobStarted: lambda event: observe_wait(event.queue_wait_s),
            events.JobEnded: lambda event: observe_service(event.service_s),
            events.MoneyOwed: lambda _: None,
            events.DurableOrderEnded: lambda _: None,  # a worker's, which nobody scrapes
        }

    def _dependency_events(self) -> "_Handlers":
        attempts = self._counter("attempts", "Calls of a dependency.", "dependency", "outcome")
        retries = self._counter("retries", "Attempts after the first.", "dependency")
        denied = self._counter("retries_denied", "Retries the budget did not allow.", "dependency")
        moves = self._counter("breaker_transitions", "Moves of a breaker.", "dependency", "to")
        count_attempt = _Children(attempts, DEPENDENCIES, ATTEMPT_OUTCOMES)
        count_retry = _Children(retries, DEPENDENCIES)
        count_denied = _Children(denied, DEPENDENCIES)
        count_move = _Children(moves, DEPENDENCIES, BREAKER_STATES)
        waited = self._histogram("pool_wait_seconds", "Time waited for a database connection.")
        observe_wait = self._observing(waited)
        return {
            events.AttemptEnded: lambda e: count_attempt[e.dependency, e.outcome](),
            events.Retried: lambda e: count_retry[e.dependency](),
            events.RetryDenied: lambda e: count_denied[e.dependency](),
            events.BreakerMoved: lambda e: count_move[e.dependency, e.to](),
            events.PoolWaited: lambda e: observe_wait(e.wait_s),
        }

    def _edge_events(self) -> "_Handlers":
        cache = self._counter("cache_requests", "Look-ups in the item cache.", "result")
        count_asked = _Children(cache, events.CACHE_RESULTS)
        answers = self._counter(
            "connection_answers",
            "Answers of connections by themselves, to what was not a valid request, or because "
            "there was no room.",
            "reason",
        )
        count_answer = _Children(answers, events.CONNECTION_ANSWERS)
        lag = self._histogram(
            "event_loop_lag_seconds", "By how much the event loop missed a timer.", _LAG_BUCKETS_S
        )
        return {
            events.CacheAsked: lambda event: count_asked[event.result](),
            events.ConnectionAnswered: lambda event: count_answer[event.reason](),
            events.LoopLagged: lambda event: lag.observe(event.lag_s),
            events.RequestAnswered: _HttpTimes(self.registry),
        }

    def _observing(self, histogram: Histogram) -> Callable[[float], None]:
        """Its `observe`, with the trace that is current as an exemplar."""
        trace_id = self._trace_id
        if trace_id is None:
            observe: Callable[[float], None] = histogram.observe
            return observe

        def observe_traced(value: float) -> None:
            histogram.observe(value, exemplar_of(trace_id()))

        return observe_traced

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"bpdemo_{name}", text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets_s: tuple[float, ...] = _WAIT_BUCKETS_S
    ) -> Histogram:
        return Histogram(f"bpdemo_{name}", text, registry=self.registry, buckets=buckets_s)


_Handlers = dict[type[Any], Callable[[Any], None]]
_Observe = Callable[[float, dict[str, str] | None], None]


def exemplar_of(trace_id: str | None) -> dict[str, str] | None:
    """By the name that Grafana looks for."""
    return None if trace_id is None else {"trace_id": trace_id}


class _Children(dict[Any, Callable[[], None]]):
    """Label values to the `inc` of their child, all made beforehand: a count is one look-up."""

    def __init__(self, counter: Counter, *values: Iterable[str]) -> None:
        for labels in product(*values):
            self[labels if len(labels) > 1 else labels[0]] = counter.labels(*labels).inc
        self._counter = counter
        self._others = (OTHER,) * len(values)

    def __missing__(self, key: object) -> Callable[[], None]:
        return self._counter.labels(*self._others).inc


class _HttpTimes:
    """Times of answers; series appear on first use, since not every status fits every route."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._histogram = Histogram(
            "bpdemo_http_request_seconds",
            "Time from a request's head to the end of its answer.",
            ("method", "route", "status"),
            registry=registry,
            buckets=_HTTP_BUCKETS_S,
        )
        self._observe: dict[tuple[str, str, int], _Observe] = {}

    def __call__(self, event: events.RequestAnswered) -> None:
        observe = self._observe.get(event[:3]) or self._child(*event[:3])
        observe(event.duration_s, exemplar_of(event.trace_id))

    def _child(self, method: str, route: str, status: int) -> "_Observe":
        key = (method if method in METHODS else OTHER, route, status)
        if key not in self._observe and len(self._observe) >= MAX_HTTP_SERIES:
            return self._series(key[0], OTHER, status)
        # Kept under the cleaned key only: invented methods must not fill this dict either.
        return self._observe.setdefault(key, self._series(*key))

    def _series(self, method: str, route: str, status: int) -> "_Observe":
        observe: _Observe = self._histogram.labels(method, route, status).observe
        return observe
