"""The tracer of one service. OpenTelemetry is imported only when somebody wants spans."""

from collections.abc import Callable

from bpdemo.core.choices import Traces
from bpdemo.core.foreign_variables import foreign_variables_hidden
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

    Of OpenTelemetry's variables only those are obeyed that say who we are and where spans go.
    `stream` is where kind console writes (standard error if None); `log` hears once per outage
    that a collector of kind otlp takes no spans.
    """
    if kind == "off":
        return SilentTracer()
    with foreign_variables_hidden():
        from bpdemo.telemetry.otel import OtelTracer
        from bpdemo.telemetry.span_targets import make_target

        return OtelTracer(make_target(kind, stream, log), clock, service_name)
