"""What the doctor looks at in Python: its version, and the packages."""

from __future__ import annotations

import importlib
import platform
import sys
from collections.abc import Iterable
from typing import Final

from bpdemo.cli.doctor.finding import Finding
from bpdemo.core.one_line import in_one_line

PACKAGES: Final = (
    *("fastapi", "fastapi_offline", "uvicorn", "httptools", "asyncpg", "cachetools", "tenacity"),
    *("pydantic_settings", "prometheus_client", "structlog", "opentelemetry.sdk", "jupyterlab"),
    *("ipykernel", "ipywidgets", "anywidget", "plotly", "kaleido", "pandas", "numpy", "nbclient"),
    *("nbformat", "typer", "rich", "httpx", "psutil", "platformdirs"),
)
"""All but Locust and PostgreSQL: Locust must not be imported here, and both have lines of
their own."""


def python() -> Finding:
    bits = 64 if sys.maxsize > 2**32 else 32
    seen = f"{platform.python_version()}, {bits} bits, {platform.system()} {platform.machine()}"
    if sys.version_info < (3, 11) or bits == 32:
        return Finding("Python", "FAIL", seen, "install Python 3.11 or newer, the 64-bit build")
    return Finding("Python", "ok", seen)


def packages() -> Finding:
    broken = [f"{name} ({in_one_line(error)})" for name, error in _imported(PACKAGES) if error]
    if broken:
        mend = "make install, or: python lab.py --setup-only"
        return Finding("packages", "FAIL", f"cannot be imported: {'; '.join(broken)}", mend)
    return Finding("packages", "ok", f"all {len(PACKAGES)} can be imported")


def _imported(names: Iterable[str]) -> Iterable[tuple[str, Exception | None]]:
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # a damaged package fails in any way there is
            yield name, error
        else:
            yield name, None
