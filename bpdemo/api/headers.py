"""The request headers we read: twice. At the door one that cannot be read counts as absent; past
it, it is an error that names the header."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from bpdemo.core.client_timeout import LONGEST_TIMEOUT_MS, client_timeout_s
from bpdemo.core.errors import InvalidRequest
from bpdemo.telemetry.traces import parse_traceparent

T = TypeVar("T")
RawHeaders = list[tuple[bytes, bytes]]

_PRINTABLE = re.compile(rb"[\x20-\x7e]{1,255}")
_PRIORITY = re.compile(rb"[0-3]")


class Wishes(NamedTuple):
    """What a caller says of themselves and of their request; None where they do not."""

    client: str | None = None
    client_timeout_s: float | None = None
    priority: int = 1
    key: str | None = None
    traceparent: str | None = None


def read_kindly(headers: RawHeaders) -> Wishes:
    """As far as it can be read, in one pass: for the door, where saying no must be cheap."""
    wishes = Wishes()
    for name, value in headers:
        reader = _READERS.get(name)
        if reader:
            read = reader.read(value.strip())
            if read is not None:
                wishes = wishes._replace(**{reader.wish: read})
    return wishes


def check(headers: RawHeaders) -> None:
    """Raise `InvalidRequest` for the first header of ours that is unreadable or given twice."""
    seen = set()
    for name, value in headers:
        reader = _READERS.get(name)
        if reader is None:
            continue
        if name in seen:
            raise InvalidRequest(reader.name, "is given twice")
        seen.add(name)
        if reader.read(value.strip()) is None:
            raise InvalidRequest(reader.name, f"is not {reader.wanted}")


class _Reader(NamedTuple):
    name: str
    wish: str
    read: Callable[[bytes], Any]
    wanted: str


def _text(value: bytes) -> str | None:
    return value.decode("ascii") if _PRINTABLE.fullmatch(value) else None


def _priority(value: bytes) -> int | None:
    return int(value) if _PRIORITY.fullmatch(value) else None


def _traceparent(value: bytes) -> str | None:
    text = _text(value)
    return text if text and parse_traceparent(text) else None


_PRINTABLE_TEXT = "1 to 255 printable characters"
_READERS = {
    b"x-client-id": _Reader("X-Client-Id", "client", _text, _PRINTABLE_TEXT),
    b"idempotency-key": _Reader("Idempotency-Key", "key", _text, _PRINTABLE_TEXT),
    b"x-request-timeout-ms": _Reader(
        "X-Request-Timeout-Ms",
        "client_timeout_s",
        client_timeout_s,
        f"a whole number from 1 to {LONGEST_TIMEOUT_MS}",
    ),
    b"x-priority": _Reader("X-Priority", "priority", _priority, "0, 1, 2 or 3"),
    b"traceparent": _Reader(
        "traceparent", "traceparent", _traceparent, "a W3C trace context, such as 00-…-…-01"
    ),
}
