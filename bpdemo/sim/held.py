"""Tasks that must not be lost while they run: the event loop keeps weak references only."""

from __future__ import annotations

import asyncio
from typing import Any

#: Fewer than these are not worth a look.
FEWEST = 256


class HeldTasks:
    """Holds tasks until they are done, and for a while longer.

    Those that are done are let go together, when there are twice as many as were left last time: a
    callback at the end of each would cost more than many a task.
    """

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[Any]] = []
        self._look_at = FEWEST

    def add(self, task: asyncio.Task[Any]) -> None:
        """Hold that one, too."""
        self._tasks.append(task)
        if len(self._tasks) >= self._look_at:
            self._look_at = max(FEWEST, 2 * len(self.running()))

    def running(self) -> list[asyncio.Task[Any]]:
        """Those that are not done yet, in the order in which they came; lets go of the others."""
        self._tasks = [task for task in self._tasks if not task.done()]
        return self._tasks

    async def wait(self) -> None:
        """Until none is left, those that come meanwhile included."""
        while tasks := self.running():
            await asyncio.wait(tasks)
