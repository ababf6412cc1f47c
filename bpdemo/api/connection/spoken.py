"""An answer that a connection gives in one breath, with no application behind it."""

from collections.abc import Callable

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from bpdemo.api.problems import Headers, Problem

CLOSE = (b"connection", b"close")

#: Asked with the head of a request, as ASGI tells it: the whole answer, where that is a no; None
#: where the application is to be asked. What it raises, the application will raise again, and tell.
HeadVerdict = Callable[[Scope], Problem | None]


def no_verdict(_: Scope) -> None:
    """Leaves every request to the application."""


def spoken(status: int, headers: Headers, body: bytes) -> bytes:
    """As it goes over the wire."""
    lines = [b"%b: %b\r\n" % header for header in headers]
    return b"".join([STATUS_LINE[status], *lines, b"\r\n", body])
