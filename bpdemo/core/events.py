"""Small frozen facts that the service tells its observer. All durations are in seconds."""

from typing import Final, Literal, NamedTuple, get_args

Dependency = Literal["payment", "store"]
Outcome = Literal["success", "failure", "expired", "abandoned", "shed"]
AttemptOutcome = Literal["success", "failure", "timeout", "refused", "cancelled"]
BreakerState = Literal["closed", "open", "half_open"]
CacheResult = Literal["hit", "miss", "coalesced", "stale"]
DurableOutcome = Literal["confirmed", "failed", "given_back"]

OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
ATTEMPT_OUTCOMES: Final[tuple[AttemptOutcome, ...]] = get_args(AttemptOutcome)
BREAKER_STATES: Final[tuple[BreakerState, ...]] = get_args(BreakerState)
#: How bad each state is, as a number: what a run notes of a breaker, and the picture draws.
BREAKER_CODES: Final[dict[BreakerState, int]] = {"closed": 0, "half_open": 1, "open": 2}
CACHE_RESULTS: Final[tuple[CacheResult, ...]] = get_args(CacheResult)
DEPENDENCIES: Final[tuple[Dependency, ...]] = get_args(Dependency)
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


#: Why a connection answers by itself: what came was no request, was too slow, or found no room.
CONNECTION_ANSWERS: tuple[str, ...] = (
    "invalid_request",
    "read_timeout",
    "concurrency_limit",
    "draining",
)


class ConnectionAnswered(NamedTuple):
    """A connection answered by itself, below the application, and ended."""

    reason: str
    request_id: str


class OrderRejected(NamedTuple):
    """A caller was turned away at the door or for want of a place."""

    reason: str
    request_id: str


class OrderAdmitted(NamedTuple):
    """A caller got a place, or joined a duplicate that has one."""


class OrderEnded(NamedTuple):
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
    """Another attempt is made, `wait_s` after the last one failed; not told where none is."""

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
    ConnectionAnswered
    | OrderRejected
    | OrderAdmitted
    | OrderEnded
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
