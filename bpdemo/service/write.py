"""A write to a dependency behind its guard, which remembers if any attempt went unanswered.

Such an attempt may have happened, may never happen, or may be on its way still. Whatever ends the
call afterwards, an open breaker or `SoldOut` included, tells nothing of it: only a success does, or
`Store.void`. What the breaker refused, or was lost before it left us, was not attempted.
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

    __slots__ = ("_guard", "_is_unheard", "_operation", "_was_lost")

    def __init__(self, guard: Guard, operation: Callable[[], Awaitable[T]]) -> None:
        self._was_lost = False  # some attempt was begun and never answered
        self._is_unheard = False  # an attempt was answered, and the answer is on its way to us
        self._guard = guard
        self._operation = operation

    @property
    def in_doubt(self) -> bool:
        """Whether something may stand that we have not been told of."""
        return self._was_lost or self._is_unheard

    async def call(self, deadline: Deadline = NEVER) -> T:
        """As `Guard.call`."""
        result = await self._guard.call(self._attempt, deadline)
        self._is_unheard = False
        return result

    async def _attempt(self) -> T:
        try:
            result = await self._operation()
        except BaseException as error:  # cut short by a timeout, too
            self._was_lost |= may_have_happened(error)
            raise
        # The guard has work of its own to do before it hands this on, and may fail at it.
        self._is_unheard = True
        return result


def may_have_happened(error: BaseException) -> bool:
    """Whether a call that raised this may have been done all the same."""
    if isinstance(error, DependencyError):
        return error.asked
    return not isinstance(error, NOTHING_DONE)
