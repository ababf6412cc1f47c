"""The learner's own runs, kept by the name of the prediction they answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bpdemo.lab.home import NoHome, forget, home

if TYPE_CHECKING:
    from bpdemo.load.run import LoadRun

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")


def keep_run(name: str, run: object) -> None:
    """Keep the run in place of an earlier one. What is no run, or cannot be kept, is let go."""
    from bpdemo.load.run import LoadRun

    if not isinstance(run, LoadRun) or not NAME.fullmatch(name):
        return
    try:
        path = _path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        run.save(path)
    except OSError as error:
        forget(error)


def kept_runs() -> Iterator[tuple[str, LoadRun]]:
    """Name and run, in the order of the names; damaged files are passed over."""
    from bpdemo.load.run import LoadRun

    try:
        paths = sorted(_path("any").parent.glob("[!.]*.json.gz"))
    except NoHome:
        return
    for path in paths:
        try:
            yield path.name.removesuffix(".json.gz"), LoadRun.open(path)
        except (OSError, ValueError):
            continue


def _path(name: str) -> Path:
    return home() / "runs" / f"{name}.json.gz"
