"""Where finished spans go: memory, a stream, or a collector."""

import logging
import sys
from collections import deque
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from bpdemo.core.choices import Traces
from bpdemo.core.foreign_variables import require_certificates
from bpdemo.telemetry.logs import ForgivingStream, Logger, TextTarget, make_logger

#: Spans that kind memory keeps; older ones make room, so that a long run cannot fill it.
MAX_KEPT = 20_000


class SpanTarget(SpanProcessor):
    """Takes spans as they end, on the thread that ends them: must neither raise nor wait."""

    def kept(self) -> list[ReadableSpan]:
        return []


class MemoryTarget(SpanTarget):
    """Keeps the latest spans."""

    def __init__(self) -> None:
        self._spans: deque[ReadableSpan] = deque(maxlen=MAX_KEPT)

    def on_end(self, span: ReadableSpan) -> None:
        self._spans.append(span)

    def kept(self) -> list[ReadableSpan]:
        return list(self._spans)


class StreamTarget(SpanTarget):
    """Writes one line of JSON per span."""

    def __init__(self, stream: TextTarget) -> None:
        self._stream = ForgivingStream(stream)

    def on_end(self, span: ReadableSpan) -> None:
        self._stream.write(span.to_json(indent=None) + "\n")
        self._stream.flush()


class CollectorTarget(BatchSpanProcessor, SpanTarget):
    """Sends batches from a thread; while the collector is away, spans are dropped."""


class WatchedExporter(SpanExporter):
    """Tells once per outage that spans are lost, where the library would tell with every batch."""

    def __init__(self, exporter: SpanExporter, log: Logger) -> None:
        self._exporter = exporter
        self._log = log
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.FAILURE:
            if not self._lost:
                self._log.warning("traces_lost", hint="no collector takes spans; going on without")
            self._lost += len(spans)
        elif self._lost:
            self._log.info("traces_resumed", lost=self._lost)
            self._lost = 0
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def make_target(kind: Traces, stream: TextTarget | None, log: Logger | None) -> SpanTarget:
    """The target of that kind; the collector's address comes from `OTEL_EXPORTER_OTLP_…`."""
    if kind == "memory":
        return MemoryTarget()
    if kind == "console":
        return StreamTarget(sys.stderr if stream is None else stream)
    require_certificates()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    _hush_the_library()
    return CollectorTarget(
        WatchedExporter(OTLPSpanExporter(), log or make_logger()),
        # The library's own, but said: another program's variables are not to set them.
        max_queue_size=2048,
        schedule_delay_millis=5000,
        max_export_batch_size=512,
        export_timeout_millis=30_000,
    )


def _hush_the_library() -> None:
    """Keeps its loggers off standard error, where unheard warnings go; handlers still hear them."""
    logger = logging.getLogger("opentelemetry")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
