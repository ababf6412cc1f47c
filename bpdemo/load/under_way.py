"""The loads of this process: a notebook's kernel, or a command."""

from __future__ import annotations

import weakref
from typing import Protocol


class UnderWay(Protocol):
    """A load that was begun."""

    @property
    def done(self) -> bool: ...

    def kill(self) -> None: ...


RUNNING: weakref.WeakSet[UnderWay] = weakref.WeakSet()
"""So that `stop_all` finds those that run in the background."""


def is_any_under_way() -> bool:
    """Whether one sends or waits for its answers now."""
    return any(not load.done for load in list(RUNNING))
