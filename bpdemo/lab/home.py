"""What is kept between sessions: a folder of small JSON files, one for each kind of thing.

Where there is no such folder, or it cannot be used, only the memory is lost; one line says so.
"""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs

from bpdemo.core.person_text import decoded
from bpdemo.core.whole_file import write_whole


class NoHome(OSError):
    """There is no folder to keep anything in."""


def home() -> Path:
    """Where it is kept: `BPDEMO_HOME`, or the platform's usual place for such data.

    Raises `NoHome` for a user without an entry and without the variable HOME, as in a container.
    """
    if chosen := os.environ.get("BPDEMO_HOME"):
        return Path(chosen)
    try:
        usual = Path(platformdirs.user_data_dir("bpdemo", appauthor=False))
    except (RuntimeError, KeyError, OSError) as error:
        raise NoHome("this user has no home folder") from error
    if not usual.is_absolute():  # how older ones say it
        raise NoHome("this user has no home folder")
    return usual


def recall(name: str) -> dict[str, Any]:
    """What was kept under that name; empty if nothing was, or if it can no longer be read."""
    try:
        kept = json.loads(_read(f"{name}.json"))
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def keep(name: str, what: dict[str, Any]) -> None:
    """Keep it, all or nothing. A folder that cannot be written to costs only the memory of it."""
    try:
        home().mkdir(parents=True, exist_ok=True)
        write_whole(home() / f"{name}.json", json.dumps(what, indent=1).encode())
    except OSError as error:
        forget(error)


def note(name: str, fact: dict[str, Any]) -> None:
    """Add one fact to a list that is kept. Two writers at the same time lose neither's."""
    line = json.dumps(fact) + "\n"
    try:
        home().mkdir(parents=True, exist_ok=True)
        with (home() / f"{name}.jsonl").open("ab", buffering=0) as file:
            file.write(line.encode())
    except OSError as error:
        forget(error)


def noted(name: str) -> list[dict[str, Any]]:
    """All facts of that list, the earliest first; what cannot be read is passed over."""
    lines = _read(f"{name}.jsonl").splitlines()
    return [fact for line in lines if isinstance(fact := _fact(line), dict)]


def forget(error: OSError) -> None:
    """Say that something is not kept, and why."""
    _say_once(error.strerror or str(error))


@cache
def _say_once(why: str) -> None:
    cure = "set BPDEMO_HOME to a folder of your own"
    print(f"bpdemo: nothing is kept between sessions ({why}); {cure}", file=sys.stderr)


def _read(name: str) -> str:
    try:
        return decoded((home() / name).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        forget(error)
        return ""


def _fact(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
