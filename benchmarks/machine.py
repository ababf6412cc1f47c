"""On what it was measured: a figure without its machine means nothing."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import psutil
from pydantic import BaseModel

#: From that share of the processors on, figures of speed are off.
BUSY = 0.15
PACKAGES = (
    "bpdemo", "fastapi", "starlette", "uvicorn", "httptools", "granian", "hyx", "purgatory",
    "circuitbreaker", "aiobreaker", "pybreaker", "cachetools", "simpy", "ciw",
)  # fmt: skip


class Machine(BaseModel):
    """The machine and the versions of one measurement."""

    when: str
    system: str
    processor: str
    cores: int
    memory_gb: float
    python: str
    packages: dict[str, str]
    busy_share: float
    """How busy all cores were just before, 0 to 1: by others, since nothing of ours ran yet."""


def this_machine() -> Machine:
    return Machine(
        when=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        system=f"{platform.system()} {platform.release()}",
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_gb=round(psutil.virtual_memory().total / 2**30, 1),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages={name: version for name in PACKAGES if (version := _version(name))},
        busy_share=round(psutil.cpu_percent(interval=0.5) / 100, 2),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration, IndexError):
        return platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
