"""OpenTelemetry's variables, of which most are meant for other programs.

Its library reads them when it is imported, and again in each constructor. A propagator that is not
installed here, or a limit that is no number, would end a service that asked for neither.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import RLock
from typing import Final

PREFIX: Final = "OTEL_"
#: Who we are, and where spans go; nothing else is obeyed.
OBEYED: Final = frozenset(
    (
        "OTEL_SERVICE_NAME",
        "OTEL_RESOURCE_ATTRIBUTES",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    )
)
#: What reads the environment once, at its import: each makes one object for the whole process.
READ_AT_IMPORT: Final = ("opentelemetry.context", "opentelemetry.propagate")
_turn: Final = RLock()


def is_of_another_opentelemetry(name: str) -> bool:
    """Whether it steers OpenTelemetry in ways that we do not let it."""
    return name.startswith(PREFIX) and name not in OBEYED


@contextmanager
def foreign_variables_hidden() -> Iterator[None]:
    """Inside, the environment has no variable of OpenTelemetry's but those that are obeyed.

    One thread at a time: otherwise one would put back what another has to be spared.
    """
    with _turn:
        foreign = {
            name: os.environ[name]
            for name in tuple(os.environ)
            if is_of_another_opentelemetry(name)
        }
        for name in foreign:
            del os.environ[name]
        try:
            yield
        finally:
            os.environ.update(foreign)


def import_undisturbed() -> None:
    """Import what reads at its import. Without OpenTelemetry, as in a browser, nothing is done."""
    with foreign_variables_hidden(), suppress(ModuleNotFoundError):
        for name in READ_AT_IMPORT:
            import_module(name)
