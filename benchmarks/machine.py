"""On what it was measured: a figure without its machine means nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import psutil
from pydantic import BaseModel

ROOT = Path(__file__).resolve().parents[1]
#: From that share of the processors on, figures of speed are off.
BUSY = 0.15
#: By the run itself.
WRITTEN = ("benchmarks/results.json", "benchmarks/RESULTS.md", "benchmarks/pictures")
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
    commit: str = ""
    """The short name of what was checked out; with a + where files differ from it."""
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
        commit=_commit(),
        busy_share=round(psutil.cpu_percent(interval=0.5) / 100, 2),
    )


class Stolen:
    """What the host of a virtual machine takes from it, from here on."""

    def __init__(self) -> None:
        self._before = psutil.cpu_times()

    def share(self) -> float | None:
        """Of the time of all cores; None where the system does not tell."""
        now, before = psutil.cpu_times(), self._before
        if not hasattr(now, "steal"):
            return None
        passed_s = sum(now) - sum(before)
        return round((now.steal - before.steal) / passed_s, 3) if passed_s > 0 else 0.0


def _commit() -> str:
    """Empty where there is no git, or no repository."""
    said = []
    changed_files = ["status", "--porcelain", "--", ".", *(f":!{name}" for name in WRITTEN)]
    for command in (["rev-parse", "--short", "HEAD"], changed_files):
        try:
            done = subprocess.run(
                ["git", *command], check=True, cwd=ROOT, capture_output=True, text=True
            )
        except (OSError, subprocess.CalledProcessError):
            return ""
        said.append(done.stdout.strip())
    name, changed = said
    return f"{name}+" if changed else name


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
