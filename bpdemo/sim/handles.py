"""The callbacks and timers of the loop under virtual time."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from contextvars import Context
from typing import Protocol


class Sweeps(Protocol):
    """The loop that owns a timer."""

    def count_cancelled(self) -> None:
        """One more timer in the heap that nobody waits for."""
        ...


class _NoDebug:
    """What the repr of a handle asks of its loop, from Python 3.13 on."""

    def get_debug(self) -> bool:
        return False


class LoopHandle(asyncio.Handle):
    """A real Handle that the loop fills in itself, which saves a Python call per callback."""

    __slots__ = ()
    _source_traceback = None
    _repr = None
    _loop = _NoDebug()
    _callback: Callable[..., object] | None  # None once cancelled
    _context: Context

    @property
    def _cancelled(self) -> bool:  # type: ignore[override]
        return self._callback is None

    def cancel(self) -> None:
        self._callback = None
        self._args = ()


class Timer(asyncio.TimerHandle):
    """The same for timers. `_scheduled` says that it is in the heap."""

    __slots__ = ()
    _source_traceback = None
    _repr = None
    _callback: Callable[..., object] | None
    _context: Context
    _loop: Sweeps
    _scheduled: bool
    _when: float

    @property
    def _cancelled(self) -> bool:  # type: ignore[override]
        return self._callback is None

    def cancel(self) -> None:
        if self._callback is not None:
            self._callback = None
            self._args = ()
            if self._scheduled:
                self._loop.count_cancelled()


new_handle = functools.partial(object.__new__, LoopHandle)
new_timer = functools.partial(object.__new__, Timer)
