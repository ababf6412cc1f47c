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


def note(name: str, fact: dict[str, Any]) -> None:
    """Add one fact to a list that is kept. Two writers at the same time lose neither's."""
    line = json.dumps(fact) + "\n"
    try:
        home().mkdir(parents=True, exist_ok=True)
        with (home() / f"{name}.jsonl").open("ab", buffering=0) as file:
            file.write(line.encode())
    except OSError:
        return


def noted(name: str) -> list[dict[str, Any]]:
    """All facts of that list, the earliest first; what cannot be read is passed over."""
    try:
        lines = (home() / f"{name}.jsonl").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [fact for line in lines if isinstance(fact := _read(line), dict)]


def _read(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
