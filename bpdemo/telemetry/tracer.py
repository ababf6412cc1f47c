"""The tracer of one service. OpenTelemetry is imported only when somebody wants spans."""

from collections.abc import Callable

from bpdemo.core.choices import Traces
from bpdemo.telemetry.logs import Logger, TextTarget
from bpdemo.telemetry.traces import ServiceTracer, SilentTracer


def make_tracer(
    kind: Traces,
    clock: Callable[[], float],
    service_name: str = "bpdemo",
    stream: TextTarget | None = None,
    log: Logger | None = None,
) -> ServiceTracer:
    """The tracer of one service; none is ever made global.

    `stream` is where kind console writes (standard error if None); `log` hears once per outage
    that a collector of kind otlp takes no spans.
    """
    if kind == "off":
        return SilentTracer()
    from bpdemo.telemetry.otel import OtelTracer
    from bpdemo.telemetry.span_targets import make_target

    return OtelTracer(make_target(kind, stream, log), clock, service_name)
