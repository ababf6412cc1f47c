"""A write to the store behind its guard, which remembers whether any attempt went unanswered.

Such an attempt may have happened, may never happen, or may be on its way still. Whatever ends the
call afterwards, an open breaker or `SoldOut` included, tells nothing of it: only a success does, or
`Store.void`.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from bpdemo.core.errors import DependencyError, PoolExhausted, QueueFull, SoldOut
from bpdemo.flow.deadline import NEVER, Deadline
from bpdemo.flow.guard import Guard

T = TypeVar("T")

#: An attempt that raises one of these has changed nothing, and will not.
NOTHING_DONE = (PoolExhausted, QueueFull, SoldOut)


class Write(Generic[T]):
    """One write of the task that makes it; its attempts must be safe to repeat."""

    def __init__(self, guard: Guard, operation: Callable[[], Awaitable[T]]) -> None:
        self.in_doubt = False  # some attempt was begun and never answered
        self._guard = guard
        self._operation = operation

    async def call(self, deadline: Deadline = NEVER) -> T:
        """As `Guard.call`."""
        return await self._guard.call(self._attempt, deadline)

    async def _attempt(self) -> T:
        try:
            return await self._operation()
        except BaseException as error:  # cut short by a timeout, too
            self.in_doubt |= _may_have_happened(error)
            raise


def _may_have_happened(error: BaseException) -> bool:
    if isinstance(error, DependencyError):
        return error.asked
    return not isinstance(error, NOTHING_DONE)
