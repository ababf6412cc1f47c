"""Who writes a log line, in the words that its spans use."""

import os
from urllib.parse import unquote

from bpdemo import __version__
from bpdemo.core.choices import LogFormat
from bpdemo.telemetry.logs import Logger

SERVICE_NAME = "bpdemo"
ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"


def service_name() -> str:
    """Ours, unless OpenTelemetry's variables give another: the first before the second."""
    if name := os.environ.get("OTEL_SERVICE_NAME", "").strip():
        return name
    pairs = (each.partition("=") for each in os.environ.get(ATTRIBUTES, "").split(","))
    names = [unquote(value.strip()) for key, _, value in pairs if key.strip() == "service.name"]
    return names[-1] if names and names[-1] else SERVICE_NAME


def identified(log: Logger, log_format: LogFormat) -> Logger:
    """The logger with name and version on each line for machines; a person knows what runs."""
    if log_format != "json":
        return log
    return log.bind(**{"service.name": service_name(), "version": __version__})
