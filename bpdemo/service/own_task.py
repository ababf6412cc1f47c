"""Is it we who are to end, or did a call only fail as if we were?"""

import asyncio


class OwnTask:
    """Tells the end of the task that made it from an error of the same name that some call raised.

    A dependency may raise `CancelledError` or `GeneratorExit` of its own accord; that ends a task
    no more than any other failure does.
    """

    def __init__(self) -> None:
        self._task = asyncio.current_task()

    @property
    def is_ending(self) -> bool:
        """Whether the task was cancelled, or its coroutine closed: nothing may be awaited."""
        task = self._task
        if task is None or task.cancelling():
            return True
        # A coroutine is closed from outside its task: by the garbage collector, for one.
        return asyncio.current_task(task.get_loop()) is not task
