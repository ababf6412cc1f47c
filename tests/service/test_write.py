"""What a guarded write knows of itself when its guard is what fails."""

from collections.abc import Awaitable, Callable

import pytest

from bpdemo.flow.deadline import NEVER, Deadline
from bpdemo.service.write import Write


class FailingGuard:
    """Makes the attempt, and fails at its own work afterwards, as often as it is told to."""

    def __init__(self, failures: int) -> None:
        self._failures = failures

    async def call(
        self, operation: Callable[[], Awaitable[str]], deadline: Deadline = NEVER
    ) -> str:
        result = await operation()
        if self._failures:
            self._failures -= 1
            raise ZeroDivisionError
        return result


async def stored() -> str:
    return "stored"


async def test_an_answer_that_was_lost_within_us_leaves_the_write_in_doubt() -> None:
    """The store said yes, and nobody here heard it: what stands must not be told as a no."""
    write: Write[str] = Write(FailingGuard(1), stored)  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        await write.call()
    assert write.in_doubt
    assert await write.call() == "stored"
    assert not write.in_doubt
