"""Is it we who are to end, or did a call only fail as if we were?"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class CallBrokeOff(RuntimeError):
    """The call tried to end the process, or the coroutine that awaited it."""


async def apart(call: Callable[[], Awaitable[T]]) -> T:
    """What the call gives, or raises, in a task of its own.

    So a call that cancels the task it runs in, as a scope that leaks does, cancels itself alone: it
    is raised as a CancelledError of the call's own, and our task is not ending. Cancelling us
    cancels the call.
    """

    async def alone() -> T:
        try:
            return await call()
        except (SystemExit, KeyboardInterrupt, GeneratorExit) as error:
            # Out of a task of its own these would leave through the event loop, and end it.
            raise CallBrokeOff(f"{type(error).__name__}: {error}") from error

    return await asyncio.ensure_future(alone())


class OwnTask:
    """Tells the end of the task that made it from an error of the same name that some call raised.

    A dependency may raise `CancelledError` or `GeneratorExit` of its own accord; that ends a task
    no more than any other failure does.
    """

    __slots__ = ("_task",)

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
