"""OpenTelemetry's variables, of which most are meant for other programs.

Its library reads them when it is imported, and again in each constructor. A propagator that is not
installed here, or a limit that is no number, would end a service that asked for neither.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import RLock
from types import FunctionType, ModuleType
from typing import Final

from bpdemo.core.errors import SettingsInvalid

PREFIX: Final = "OTEL_"
#: Files that say whom a collector's TLS trusts, and who we are to it.
CERTIFICATES: Final = tuple(
    f"OTEL_EXPORTER_OTLP_{signal}{kind}"
    for signal in ("", "TRACES_")
    for kind in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY")
)
#: Who we are, and where and how spans go; nothing else is obeyed.
OBEYED: Final = frozenset(
    (
        "OTEL_SERVICE_NAME",
        "OTEL_RESOURCE_ATTRIBUTES",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        *CERTIFICATES,
    )
)
#: Read by an application's own OpenTelemetry with its first span, meter or logger.
PROVIDERS: Final = {
    "OTEL_PYTHON_TRACER_PROVIDER": "opentelemetry_tracer_provider",
    "OTEL_PYTHON_METER_PROVIDER": "opentelemetry_meter_provider",
    "OTEL_PYTHON_LOGGER_PROVIDER": "opentelemetry_logger_provider",
}
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


def require_certificates() -> None:
    """Raises `SettingsInvalid` for one that cannot be read: the library would find out with its
    first batch, and lose every one."""
    for name in CERTIFICATES:
        if path := os.environ.get(name):
            try:
                with open(path, "rb"):
                    pass
            except OSError as error:
                raise SettingsInvalid(name, f"{path}: {error.strerror}") from None


def not_obeyed(environment: Mapping[str, str]) -> list[str]:
    """Variables that are meant to say how spans are exported, and change nothing here."""
    ours = (f"{PREFIX}EXPORTER_OTLP_", f"{PREFIX}TRACES_", f"{PREFIX}BSP_", f"{PREFIX}SPAN_")
    others = ("_METRICS_", "_LOGS_")
    return sorted(
        name
        for name in environment
        if name.startswith(ours) and name not in OBEYED and not any(o in name for o in others)
    )


def uses_opentelemetry(modules: Iterable[str]) -> bool:
    """Whether one of these, all of them imported, holds anything of OpenTelemetry's."""
    return any(
        _origin(held).startswith("opentelemetry")
        for module in modules
        for held in list(getattr(sys.modules.get(module), "__dict__", {}).values())
    )


def _origin(held: object) -> str:
    """Where a module, a function, a class or an object is from. What stands in for another, such as
    a proxy that has nothing to stand for yet, may raise anything."""
    with suppress(Exception):
        kind = type(held)
        if issubclass(kind, ModuleType | FunctionType | type):
            return str(getattr(held, "__name__" if kind is ModuleType else "__module__"))
        return kind.__module__
    return ""


def require_providers() -> None:
    """Before another's application runs that uses OpenTelemetry. ValueError for a provider that is
    not installed: the library would end each of its requests with a bare StopIteration."""
    from importlib.metadata import entry_points

    for name, group in PROVIDERS.items():
        if wanted := os.environ.get(name):
            known = sorted({point.name for point in entry_points(group=group)})
            if wanted not in known:
                raise ValueError(
                    f"{name} is {wanted!r}, and no such provider is installed (there are "
                    f"{', '.join(known) or 'none'}): an application that uses OpenTelemetry fails"
                )


def import_undisturbed() -> None:
    """Import what reads at its import. Without OpenTelemetry, as in a browser, nothing is done."""
    with foreign_variables_hidden(), suppress(ModuleNotFoundError):
        for name in READ_AT_IMPORT:
            import_module(name)
