"""What is kept between sessions: a folder of small JSON files, one for each kind of thing."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import platformdirs


def home() -> Path:
    """Where it is kept: `BPDEMO_HOME`, or the platform's usual place for such data."""
    chosen = os.environ.get("BPDEMO_HOME")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("bpdemo", appauthor=False))


def recall(name: str) -> dict[str, Any]:
    """What was kept under that name; empty if nothing was, or if it can no longer be read."""
    try:
        kept = json.loads((home() / f"{name}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def keep(name: str, what: dict[str, Any]) -> None:
    """Keep it, all or nothing. A folder that cannot be written to costs only the memory of it."""
    try:
        home().mkdir(parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(dir=home(), prefix=f".{name}-", suffix=".json")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(what, file, indent=1)
        os.replace(path, home() / f"{name}.json")
    except OSError:
        return
