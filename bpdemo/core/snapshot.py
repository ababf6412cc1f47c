"""How a service stands at one moment: one source for `GET /stats` and for the gauges."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bpdemo.core.events import DEPENDENCIES, BreakerState, Dependency


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Taken in one step on the event loop, so its figures belong together.

    `queue_capacity` -1: no bound. `limit` is that on orders in flight, 0 for none.
    `connections` are those to a database, `idle` and `busy`; none
    where there is no database. `nominal_capacity` is in orders a second: workers ÷ the service time
    that the settings promise; None where an order takes no time. `mean_service_s` is how long
    orders have taken a worker lately.
    """

    books: Mapping[str, int]
    queue_depth: int
    queue_capacity: int
    workers: int
    workers_busy: int
    in_flight: int
    limit: float
    breakers: Mapping[Dependency, BreakerState]
    charged: int
    refunded: int
    connections: Mapping[str, int]
    nominal_capacity: float | None
    mean_service_s: float

    def as_stats(self) -> dict[str, Any]:
        """The body of `GET /stats`."""
        return {
            "books": dict(self.books),
            "queue": {"depth": self.queue_depth, "capacity": self.queue_capacity},
            "workers": {"total": self.workers, "busy": self.workers_busy},
            "in_flight": self.in_flight,
            "limit": self.limit,
            "breakers": dict(self.breakers),
            "payments": {"charged": self.charged, "refunded": self.refunded},
            "nominal_capacity": self.nominal_capacity,
            "mean_service_s": self.mean_service_s,
        }


#: Of a service that is not there yet.
NOTHING = Snapshot(
    books={},
    queue_depth=0,
    queue_capacity=0,
    workers=0,
    workers_busy=0,
    in_flight=0,
    limit=0,
    breakers=dict.fromkeys(DEPENDENCIES, "closed"),
    charged=0,
    refunded=0,
    connections={},
    nominal_capacity=None,
    mean_service_s=0.0,
)
