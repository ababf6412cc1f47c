"""Spans from the edge to the store: what a tracer offers, and the one that draws nothing."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, NamedTuple, Protocol

from bpdemo.core.choices import SpanKindName
from bpdemo.core.ports import NullTracer, Tracer

Attribute = str | int | float


class SpanIds(NamedTuple):
    """The current span, in the hex that W3C and every backend use."""

    trace_id: str
    span_id: str


class FinishedSpan(NamedTuple):
    """A span that is over. `start_s` is of the service's clock; `parent_id` None: a root."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str | None
    start_s: float
    duration_s: float
    attributes: Mapping[str, Attribute]
    status: Literal["ok", "error"]
    kind: SpanKindName = "internal"
    tracestate: str = ""


class Carried(NamedTuple):
    """What comes with a caller's trace, as the headers of that name say it; empty where there is
    none, and passed on unread."""

    tracestate: str = ""
    baggage: str = ""


class EdgeSpan(Protocol):
    """The span of a request while it is open."""

    def fail(self, error_type: str) -> None:
        """Marks it as failed, by a word from a closed set."""
        ...

    def note(self, **attributes: Attribute) -> None:
        """Adds what only the answer tells, such as its status."""
        ...


class ServiceTracer(Tracer, Protocol):
    """What the composition root and the edge need beyond `core.ports.Tracer`."""

    #: Whether it draws anything: what is only told to a span need not be put together otherwise.
    is_on: bool

    def edge(
        self,
        name: str,
        traceparent: str | None,
        carried: Carried = Carried(),  # noqa: B008 - frozen
        /,
        **attributes: Attribute,
    ) -> AbstractContextManager[EdgeSpan]:
        """A span around a request. It continues the caller's trace if `traceparent` can be
        read, else it starts one of its own."""
        ...

    def ids(self) -> SpanIds | None:
        """The current span's, or None where there is none."""
        ...

    def trace_id(self) -> str | None: ...

    def recorded_trace_id(self) -> str | None:
        """The same if it is recorded: of a trace that its caller does not sample, nothing can be
        looked up."""
        ...

    def finished(self) -> list[FinishedSpan]:
        """The latest finished spans, oldest first; always empty unless kind is memory."""
        ...

    def shutdown(self, timeout_s: float = 2.0) -> None:
        """Sends what is left. Blocks, but no longer than `timeout_s`; never raises."""
        ...


class TraceParent(NamedTuple):
    """A caller's place in its trace."""

    trace_id: str
    parent_id: str
    sampled: bool


_TRACEPARENT = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})"
    r"-(?!0{16})(?P<parent>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)


def parse_traceparent(value: str) -> TraceParent | None:
    """None if it cannot be read, by the letter of W3C Trace Context: lower-case hex, no id of
    zeros, version not ff. Version 00 ends with the flags, later ones may go on after a dash."""
    match = _TRACEPARENT.fullmatch(value)
    if match is None or (match["version"] == "00" and match["more"] is not None):
        return None
    return TraceParent(match["trace"], match["parent"], bool(int(match["flags"], 16) & 1))


class _SilentSpan:
    def note(self, **attributes: Attribute) -> None:
        pass

    def fail(self, error_type: str) -> None:
        pass


class SilentTracer(NullTracer):
    """Draws nothing, at the price of a call."""

    is_on = False
    _no_edge = nullcontext(_SilentSpan())

    def edge(
        self,
        _name: str,
        _traceparent: str | None,
        _carried: Carried = Carried(),  # noqa: B008 - frozen
        /,
        **_attributes: Attribute,
    ) -> AbstractContextManager[EdgeSpan]:
        return self._no_edge

    def ids(self) -> SpanIds | None:
        return None

    def trace_id(self) -> str | None:
        return None

    def recorded_trace_id(self) -> str | None:
        return None

    def finished(self) -> list[FinishedSpan]:
        return []

    def shutdown(self, timeout_s: float = 2.0) -> None:
        pass
