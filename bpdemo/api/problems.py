"""How a no is said: problem details (RFC 9457), one status and title for each reason."""

import json
from collections.abc import Callable
from typing import NamedTuple

from bpdemo.api.errors import MethodNotAllowed
from bpdemo.core.errors import BoxOfficeError, DownstreamFailed, Refused

Headers = list[tuple[bytes, bytes]]

CONTENT_TYPE = b"application/problem+json"

#: reason → status and title.
PROBLEMS: dict[str, tuple[int, str]] = {
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


class Problem(NamedTuple):
    """An answer, ready to be sent."""

    status: int
    headers: Headers
    body: bytes


class Problems:
    """Makes problems of errors. `retry_after_s` estimates when a refused caller may come back."""

    def __init__(self, retry_after_s: Callable[[Refused], int]) -> None:
        self._retry_after_s = retry_after_s
        # The usual details never change: their bodies are made once.
        self._bodies: dict[tuple[str, str], bytes] = {}

    def verdict(self, error: BaseException) -> ErrorAnswer:
        """For any error at all; what is not of our tree is an `internal_error` that tells nothing.

        Ask once for each answer: the refused of the last second move the Retry-After of the next.
        """
        if not isinstance(error, BoxOfficeError):
            error = BoxOfficeError()
        status, _ = PROBLEMS[error.reason]
        if status not in (429, 503):
            return ErrorAnswer(status, error, None)
        refused = error if isinstance(error, Refused) else DownstreamFailed()
        return ErrorAnswer(status, error, self._retry_after_s(refused))

    def of(self, error: BaseException) -> Problem:
        """The verdict on it, ready to be sent."""
        status, error, retry_after_s = self.verdict(error)
        body = self._body(error)
        headers: Headers = [
            (b"content-type", CONTENT_TYPE),
            (b"content-length", b"%d" % len(body)),
        ]
        if retry_after_s is not None:
            headers.append((b"retry-after", b"%d" % retry_after_s))
        elif isinstance(error, MethodNotAllowed):
            headers.append((b"allow", error.allow.encode()))
        return Problem(status, headers, body)

    def _body(self, error: BoxOfficeError) -> bytes:
        field = getattr(error, "field", None)
        if field is not None or str(error) != error.detail:
            return render_problem(error.reason, str(error), field)
        key = (error.reason, error.detail)
        if key not in self._bodies:
            self._bodies[key] = render_problem(error.reason, error.detail)
        return self._bodies[key]


def render_problem(
    reason: str, detail: str, field: str | None = None, *, status: int | None = None
) -> bytes:
    """The body; `status` where it is not the reason's usual one."""
    usual, title = PROBLEMS[reason]
    problem: dict[str, str | int] = {
        "type": f"urn:bpdemo:problem:{reason}",
        "title": title,
        "status": status or usual,
        "detail": detail,
        "reason": reason,
    }
    if field is not None:
        problem["field"] = field
    return json.dumps(problem).encode()
