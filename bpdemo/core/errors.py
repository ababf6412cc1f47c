"""Everything that can go wrong, as one tree.

    BoxOfficeError
    ├── Refused                 no, for now: carries `retry_after_s`, answered 429 or 503
    │   ├── ClientLimit         you are over your share
    │   ├── ConcurrencyLimit    too many requests in flight at the edge
    │   ├── QueueFull           no place, or too many already wait for one
    │   ├── QueueTimeout        waited for a place, none came free
    │   ├── WouldExpire         your order could not be finished in your time
    │   ├── QueueShed           dropped from the queue after admission
    │   ├── CircuitOpen         the breaker before a dependency is open
    │   ├── PoolExhausted       no database connection in time
    │   ├── Draining            starting up or shutting down
    │   └── DownstreamFailed    the dependency failed every attempt, and nothing stands
    ├── OutcomeUnknown          a write was lost on the way: it may or may not stand
    ├── DeadlineExceeded        the caller's time ran out
    ├── DependencyError         one attempt at a dependency failed; worth another try
    │   └── AttemptTimeout      it did not answer in the time an attempt has
    ├── InvalidRequest          cannot be read: carries `field`
    ├── SoldOut                 not enough left of the item
    ├── NotFound                no such thing
    └── SettingsInvalid         a setting that cannot be: names field, value and range

Each carries the `reason` that problem responses, metrics and logs use.
"""

from typing import ClassVar

from bpdemo.core.box import SaysItself


class BoxOfficeError(Exception):
    """Root of the tree."""

    reason: ClassVar[str] = "internal_error"
    detail: ClassVar[str] = "Something went wrong on our side."

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or self.detail)


class Refused(BoxOfficeError):
    """A no that invites a later try. `retry_after_s` is None until somebody estimates it."""

    def __init__(self, detail: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class ClientLimit(Refused):
    reason = "client_limit"
    detail = "You have too many requests in flight. Let some finish first."


class ConcurrencyLimit(Refused):
    reason = "concurrency_limit"
    detail = "Too many requests are in flight."


class QueueFull(Refused):
    reason = "queue_full"
    detail = "The queue is full."


class QueueTimeout(Refused):
    reason = "queue_timeout"
    detail = "No place in the queue came free in time."


class WouldExpire(Refused):
    reason = "would_expire"
    detail = "Your time would run out before your order could be finished."


class QueueShed(Refused):
    reason = "queue_shed"
    detail = "The queue stayed crowded for too long; you had waited longest."


class CircuitOpen(Refused):
    reason = "circuit_open"
    detail = "A service we depend on is down; we are giving it a rest."


class PoolExhausted(Refused):
    reason = "pool_exhausted"
    detail = "No database connection came free in time."


class Draining(Refused):
    reason = "draining"
    detail = "This server is not taking new requests; another one may."


class DownstreamFailed(Refused):
    reason = "downstream_failed"
    detail = "A service we depend on failed every attempt."


class OutcomeUnknown(BoxOfficeError):
    """Neither yes nor no, and so no invitation to come back: without a key that might buy twice."""

    reason = "outcome_unknown"
    detail = (
        "The store's answer was lost. With an Idempotency-Key, repeat with the same one to learn "
        "the outcome; without one, nothing is sold and the money goes back."
    )


class DeadlineExceeded(BoxOfficeError):
    reason = "deadline_exceeded"
    detail = "Your time ran out. Repeat with the same Idempotency-Key to learn the outcome."


class DependencyError(BoxOfficeError):
    """`asked` is false where the call never left us, so that it cannot have changed anything."""

    reason = "downstream_failed"
    detail = "A service we depend on failed."

    def __init__(self, detail: str | None = None, *, asked: bool = True) -> None:
        super().__init__(detail)
        self.asked = asked


class AttemptTimeout(DependencyError):
    detail = "A service we depend on did not answer in time."


class InvalidRequest(BoxOfficeError):
    reason = "invalid_request"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field


class SoldOut(BoxOfficeError):
    reason = "sold_out"
    detail = "There are not that many tickets left."


class NotFound(BoxOfficeError):
    reason = "not_found"
    detail = "There is no such thing here."


class SettingsInvalid(SaysItself, BoxOfficeError, ValueError):
    reason = "invalid_request"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
