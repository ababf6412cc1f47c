"""How a no is said: problem details (RFC 9457), one status and title for each reason."""

import json
from collections.abc import Callable
from typing import NamedTuple

from bpdemo.api.errors import MethodNotAllowed
from bpdemo.core.errors import BoxOfficeError, Refused
from bpdemo.core.reasons import PROBLEMS, answer_to

Headers = list[tuple[bytes, bytes]]

CONTENT_TYPE = b"application/problem+json"


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

    def of(self, error: BaseException) -> Problem:
        """The verdict on it, ready to be sent."""
        status, error, retry_after_s = answer_to(error, self._retry_after_s)
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
