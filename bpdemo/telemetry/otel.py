"""The tracer on OpenTelemetry, with a provider of its own."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.sampling import DEFAULT_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
)

from bpdemo import __version__
from bpdemo.core.choices import SpanKindName
from bpdemo.telemetry.span_targets import SpanTarget
from bpdemo.telemetry.traces import (
    Attribute,
    Carried,
    EdgeSpan,
    FinishedSpan,
    SpanIds,
    parse_traceparent,
)

KINDS: Final[dict[SpanKind, SpanKindName]] = {
    SpanKind.SERVER: "server",
    SpanKind.CLIENT: "client",
}
#: Those of the library; said here, for another program's variables are not to set ours.
LIMITS: Final = {
    "max_events": 128,
    "max_links": 128,
    "max_attributes": 128,
    "max_span_attributes": 128,
    "max_event_attributes": 128,
    "max_link_attributes": 128,
    "max_attribute_length": SpanLimits.UNSET,
    "max_span_attribute_length": SpanLimits.UNSET,
}


class OtelTracer:
    """Times are the service clock's, laid on the wall clock once, at the start: so spans agree
    with one another, under virtual time too."""

    is_on = True

    def __init__(self, target: SpanTarget, clock: Callable[[], float], service_name: str) -> None:
        self._target = target
        self._clock = clock
        self._epoch_ns = time.time_ns() - round(clock() * 1e9)
        # No atexit hook: the service ends its own tracer, and may be one of many.
        self._provider = TracerProvider(
            sampler=DEFAULT_ON,
            resource=_resource(service_name),
            shutdown_on_exit=False,
            span_limits=SpanLimits(**LIMITS),
        )
        self._provider.add_span_processor(target)
        self._tracer = self._provider.get_tracer("bpdemo")

    def span(self, name: str, /, **attributes: Attribute) -> AbstractContextManager[object]:
        return _OpenSpan(self, name, attributes, None, SpanKind.INTERNAL)

    def client_span(self, name: str, /, **attributes: Attribute) -> AbstractContextManager[object]:
        return _OpenSpan(self, name, attributes, None, SpanKind.CLIENT)

    def note(self, **attributes: Attribute) -> None:
        get_current_span().set_attributes(attributes)

    def edge(
        self,
        name: str,
        traceparent: str | None,
        carried: Carried = Carried(),  # noqa: B008 - frozen
        /,
        **attributes: Attribute,
    ) -> AbstractContextManager[EdgeSpan]:
        return _OpenSpan(self, name, attributes, _caller(traceparent, carried), SpanKind.SERVER)

    def record(self, name: str, start_s: float, end_s: float, /, **attributes: Attribute) -> None:
        span = self._tracer.start_span(
            name, attributes=attributes, start_time=self._wall_ns(start_s)
        )
        span.end(self._wall_ns(end_s))

    def ids(self) -> SpanIds | None:
        context = get_current_span().get_span_context()
        if not context.is_valid:
            return None
        return SpanIds(f"{context.trace_id:032x}", f"{context.span_id:016x}")

    def recorded_trace_id(self) -> str | None:
        context = get_current_span().get_span_context()
        recorded = context.is_valid and context.trace_flags.sampled
        return f"{context.trace_id:032x}" if recorded else None

    def trace_id(self) -> str | None:
        ids = self.ids()
        return None if ids is None else ids.trace_id

    def finished(self) -> list[FinishedSpan]:
        return [self._plain(span) for span in self._target.kept()]

    def shutdown(self, timeout_s: float = 2.0) -> None:
        # The provider may wait half a minute for a dead collector, and cannot be told not to.
        thread = threading.Thread(target=self._provider.shutdown, daemon=True)
        thread.start()
        thread.join(timeout_s)

    def start(
        self, name: str, attributes: dict[str, Attribute], parent: Context | None, kind: SpanKind
    ) -> Span:
        """An open span that began now."""
        return self._tracer.start_span(
            name, parent, kind, attributes, start_time=self._wall_ns(self._clock())
        )

    def end(self, span: Span) -> None:
        span.end(self._wall_ns(self._clock()))

    def _wall_ns(self, clock_s: float) -> int:
        return self._epoch_ns + round(clock_s * 1e9)

    def _plain(self, span: ReadableSpan) -> FinishedSpan:
        start_ns, end_ns = span.start_time or 0, span.end_time or 0
        context = span.get_span_context() or SpanContext(0, 0, is_remote=False)
        return FinishedSpan(
            name=span.name,
            trace_id=f"{context.trace_id:032x}",
            span_id=f"{context.span_id:016x}",
            parent_id=None if span.parent is None else f"{span.parent.span_id:016x}",
            start_s=(start_ns - self._epoch_ns) / 1e9,
            duration_s=(end_ns - start_ns) / 1e9,
            attributes=dict(span.attributes or {}),  # type: ignore[arg-type]  # ours are plain
            status="error" if span.status.status_code is StatusCode.ERROR else "ok",
            kind=KINDS.get(span.kind, "internal"),
            tracestate=context.trace_state.to_header(),
        )


def _resource(service_name: str) -> Resource:
    """Who it is; what `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say is said for us."""
    ours = {
        "service.name": service_name,
        "service.version": __version__,
        "deployment.environment.name": "development",
    }
    return Resource.create(ours | dict(OTELResourceDetector().detect().attributes))


def _caller(traceparent: str | None, carried: Carried) -> Context:
    """The caller's span as parent; without one nothing at all, not even what is current here.

    Baggage has no need of a trace. A header that cannot be read carries nothing.
    """
    context = Context()
    if carried.baggage:
        context = W3CBaggagePropagator().extract({"baggage": carried.baggage}, context)
    caller = None if traceparent is None else parse_traceparent(traceparent)
    if caller is None:
        return context
    parent = SpanContext(
        int(caller.trace_id, 16),
        int(caller.parent_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(caller.sampled),
        trace_state=TraceState.from_header([carried.tracestate]) if carried.tracestate else None,
    )
    return set_span_in_context(NonRecordingSpan(parent), context)


class _OpenSpan(AbstractContextManager["_OpenSpan"]):
    """A span around a block. A class, for the library's own generator costs more."""

    __slots__ = ("_args", "_span", "_token", "_tracer")

    def __init__(
        self,
        tracer: OtelTracer,
        name: str,
        attributes: dict[str, Attribute],
        parent: Context | None,
        kind: SpanKind,
    ) -> None:
        self._tracer = tracer
        self._args = (name, attributes, parent, kind)

    def __enter__(self) -> "_OpenSpan":
        self._span = self._tracer.start(*self._args)
        # On the caller's context, not on what is current: so its baggage is here, too.
        self._token = attach(set_span_in_context(self._span, self._args[2]))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        detach(self._token)
        if kind is not None:
            # The name only: messages may carry addresses and passwords of databases.
            self._span.set_attribute("error.type", kind.__name__)
            self._span.set_status(StatusCode.ERROR)
        self._tracer.end(self._span)

    def note(self, **attributes: Attribute) -> None:
        self._span.set_attributes(attributes)

    def fail(self, error_type: str) -> None:
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(StatusCode.ERROR)
