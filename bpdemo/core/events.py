"""Small frozen facts that the service tells its observer. All durations are in seconds."""

from typing import Literal, NamedTuple

Dependency = Literal["payment", "store"]
Outcome = Literal["success", "failure", "expired", "abandoned", "shed"]
AttemptOutcome = Literal["success", "failure", "timeout", "refused", "cancelled"]
BreakerState = Literal["closed", "open", "half_open"]
CacheResult = Literal["hit", "miss", "coalesced", "stale"]
DurableOutcome = Literal["confirmed", "failed", "given_back"]

OUTCOMES: tuple[Outcome, ...] = ("success", "failure", "expired", "abandoned", "shed")
ATTEMPT_OUTCOMES: tuple[AttemptOutcome, ...] = (
    "success",
    "failure",
    "timeout",
    "refused",
    "cancelled",
)
BREAKER_STATES: tuple[BreakerState, ...] = ("closed", "open", "half_open")
CACHE_RESULTS: tuple[CacheResult, ...] = ("hit", "miss", "coalesced", "stale")
DEPENDENCIES: tuple[Dependency, ...] = ("payment", "store")
#: Every way a caller of `POST /orders` can be turned away before admission.
REJECTIONS: tuple[str, ...] = (
    "draining",
    "client_limit",
    "concurrency_limit",
    "circuit_open",
    "queue_full",
    "queue_timeout",
    "would_expire",
)


class OrderRejected(NamedTuple):
    """A caller was turned away at the door or for want of a place."""

    reason: str
    request_id: str


class OrderAdmitted(NamedTuple):
    """A caller got a place, or joined a duplicate that has one."""


class OrderSettled(NamedTuple):
    """What became of one admitted caller; told once for each."""

    outcome: Outcome
    reason: str | None
    request_id: str
    queue_s: float
    service_s: float


class JobStarted(NamedTuple):
    """A worker took a job that had waited `queue_wait_s`."""

    queue_wait_s: float


class JobEnded(NamedTuple):
    """A worker is free again after `service_s`."""

    service_s: float


class DurableOrderEnded(NamedTuple):
    """A durable worker has done what it could for an order: it may be given back for later."""

    outcome: DurableOutcome
    reason: str | None
    order_id: str
    service_s: float


class AttemptEnded(NamedTuple):
    """One call of a dependency, or one that its breaker or pool refused."""

    dependency: Dependency
    outcome: AttemptOutcome
    duration_s: float


class Retried(NamedTuple):
    """Another attempt follows after `wait_s`."""

    dependency: Dependency
    wait_s: float


class RetryDenied(NamedTuple):
    """The budget was spent, so a failure was left at that."""

    dependency: Dependency


class BreakerMoved(NamedTuple):
    """A breaker changed its state."""

    dependency: Dependency
    to: BreakerState


class CacheAsked(NamedTuple):
    """One look-up in the cache."""

    result: CacheResult


class PoolWaited(NamedTuple):
    """How long a database connection was waited for, whether or not one came."""

    wait_s: float


class LoopLagged(NamedTuple):
    """By how much the event loop missed a timer; one sample every tenth of a second."""

    lag_s: float


class RequestAnswered(NamedTuple):
    """An HTTP answer left; `route` is a template such as `/items/{id}`, never a path."""

    method: str
    route: str
    status: int
    duration_s: float
    #: Of the trace that was recorded of it, if one was.
    trace_id: str | None = None


class MoneyOwed(NamedTuple):
    """A sale could not be settled yet, or its money not given back; `owed` are so in all."""

    owed: int


Event = (
    OrderRejected
    | OrderAdmitted
    | OrderSettled
    | JobStarted
    | JobEnded
    | DurableOrderEnded
    | AttemptEnded
    | Retried
    | RetryDenied
    | BreakerMoved
    | CacheAsked
    | PoolWaited
    | LoopLagged
    | RequestAnswered
    | MoneyOwed
)
