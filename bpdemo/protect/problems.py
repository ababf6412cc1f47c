"""How a rejection is said: 503, problem details (RFC 9457), and a Retry-After."""

import contextlib
import json
from typing import TYPE_CHECKING

from bpdemo.core.errors import QueueFull, QueueTimeout, Refused, WouldExpire

if TYPE_CHECKING:
    from starlette.types import Scope, Send

STATUS = 503
#: What nginx logs when the caller left before the answer.
CLIENT_CLOSED = 499


def _problem(reason: str, title: str, detail: str) -> bytes:
    """The box office's own shape and words: whatever reads its problems reads these."""
    problem = {
        "type": f"urn:bpdemo:problem:{reason}",
        "title": title,
        "status": STATUS,
        "detail": detail,
        "reason": reason,
    }
    return json.dumps(problem).encode()


# Rejections never change, so their bodies are made once: one must cost next to nothing.
BODIES: dict[str, bytes] = {
    reason: _problem(reason, title, detail)
    for reason, title, detail in (
        (QueueFull.reason, "The queue is full", "As many requests as may wait are waiting."),
        (QueueTimeout.reason, "No place came free", "No slot came free in time."),
        (
            WouldExpire.reason,
            "It would take too long",
            "Your time would run out before your request could be finished.",
        ),
    )
}


async def refuse(refused: Refused, retry_after_s: int, scope: "Scope", send: "Send") -> None:
    """Send the rejection."""
    body = BODIES[refused.reason]
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"%d" % retry_after_s),
    ]
    if _may_lose_step(scope):
        headers.append((b"connection", b"close"))
    body = b"" if scope["method"] == "HEAD" else body
    await _say(send, STATUS, headers, body)


async def say_nobody_heard(send: "Send") -> None:
    """An answer to a caller who has left: the server drops it, and middleware around this one, such
    as Starlette's BaseHTTPMiddleware, takes no answer at all for a fault."""
    await _say(send, CLIENT_CLOSED, [], b"")


async def _say(send: "Send", status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    # An OSError is how a server may say that the caller has left (ASGI 2.4).
    with contextlib.suppress(OSError):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _may_lose_step(scope: "Scope") -> bool:
    """Whether the caller may send their body after the rejection, or may not: with `Expect:
    100-continue` both are allowed, so that the next request could be taken for the body of this
    one. HTTP/2 has no such trouble, and no such header."""
    if not scope.get("http_version", "1.1").startswith("1"):
        return False
    return any(name == b"expect" for name, _ in scope["headers"])
