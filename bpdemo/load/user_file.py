"""A Locust file that a load is to run: is it one, and how often do its users come?

A process of its own finds out, since a Locust file patches the process that imports it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from bpdemo.core.environment import PACKAGE_PARENT, own_environment
from bpdemo.core.person_text import python_source

READER: Final = "bpdemo.load.generator.user_file"
WITHIN_S: Final = 30.0


def rate_in(path: Path) -> float:
    """The arrivals a second that its users ask for, together. ValueError, in one line, if there is
    no such file, or no `OpenLoopUser` in it."""
    if not path.is_file():
        raise ValueError(f"user: there is no file {path}")
    python_source(f"user: {path}", path.read_bytes())
    try:
        done = subprocess.run(
            [sys.executable, "-m", READER, str(path.resolve())],
            capture_output=True,
            env=own_environment({"BPDEMO_LOAD_FOLDER": str(Path.cwd())}),
            cwd=PACKAGE_PARENT,
            timeout=WITHIN_S,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"user: {path} is not read within {WITHIN_S:g} s") from None
    told = _last_line(done.stdout)
    if "rate_per_s" not in told:
        why = told.get("why") or done.stderr.strip().splitlines()[-1:] or "it cannot be read"
        raise ValueError(f"user: {path}: {why}")
    return float(told["rate_per_s"])


def _last_line(text: str) -> dict[str, float]:
    try:
        told: dict[str, float] = json.loads(text.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {}
    return told
