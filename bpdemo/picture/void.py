"""What stands before the result of a run that proves nothing, in whatever picture it is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

VOID: Final = "NOT MEASURED, the machine was busy."


class Judged(Protocol):
    """A run, or what is drawn of one."""

    @property
    def is_void(self) -> bool: ...


def warned(title: str, runs: Iterable[Judged]) -> str:
    """`title`, with the warning before it if the machine did not keep up with one of `runs`."""
    return f"{VOID} {title}" if any(run.is_void for run in runs) else title
