"""Every reason for which an answer is not what was asked for: its status, and its title.

HTTP and virtual time read the same table, so a reason cannot be told by two statuses.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from bpdemo.core.errors import BoxOfficeError, DownstreamFailed, Refused

#: reason → status and title.
PROBLEMS: Final[dict[str, tuple[int, str]]] = {
    "client_limit": (429, "Too many requests of yours"),
    "concurrency_limit": (503, "Too many requests"),
    "queue_full": (503, "The queue is full"),
    "queue_timeout": (503, "No place came free"),
    "would_expire": (503, "It would take too long"),
    "queue_shed": (503, "Shed from the queue"),
    "circuit_open": (503, "A dependency is down"),
    "pool_exhausted": (503, "No database connection"),
    "draining": (503, "Not taking requests"),
    "downstream_failed": (503, "A dependency failed"),
    "outcome_unknown": (504, "The outcome is unknown"),
    "deadline_exceeded": (504, "Your time ran out"),
    "invalid_request": (422, "The request cannot be read"),
    "sold_out": (409, "Sold out"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "Method not allowed"),
    "read_timeout": (408, "The request took too long"),
    "too_large": (413, "The body is too large"),
    "forbidden": (403, "Forbidden"),
    "internal_error": (500, "Internal error"),
}


class ErrorAnswer(NamedTuple):
    """What a caller is told of an error; `retry_after_s` with 429 and 503 only."""

    status: int
    error: BoxOfficeError
    retry_after_s: int | None


def answer_to(error: BaseException, retry_after_s: Callable[[Refused], int]) -> ErrorAnswer:
    """For any error at all; what is not of our tree is an `internal_error` that tells nothing.

    `retry_after_s` estimates when a refused caller may come back. Ask once for each answer: the
    refused of the last second move the Retry-After of the next.
    """
    if not isinstance(error, BoxOfficeError):
        error = BoxOfficeError()
    status, _ = PROBLEMS[error.reason]
    if status not in (429, 503):
        return ErrorAnswer(status, error, None)
    refused = error if isinstance(error, Refused) else DownstreamFailed()
    return ErrorAnswer(status, error, retry_after_s(refused))
