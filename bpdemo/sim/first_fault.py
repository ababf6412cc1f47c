"""What fails inside a simulated service ends the run: it is told once, to the one who asked for it.

A real service answers 500, logs the traceback, and goes on. In a simulation nobody reads a log, and
the picture of a service that failed at every request would be taken for what its policies do.
"""

from __future__ import annotations

import asyncio
from typing import Any


class FirstFault:
    """Hears of what nobody awaited; the first exception ends `main`, and is kept as `error`."""

    def __init__(self, main: asyncio.Task[Any]) -> None:
        self.error: Exception | None = None
        self._main = main

    def hear(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The exception handler of the loop."""
        if self.error is not None:
            return  # most often the same one, of the next request
        error = context.get("exception")
        if not isinstance(error, Exception):
            loop.default_exception_handler(context)
            return
        self.error = error
        self._main.cancel()
