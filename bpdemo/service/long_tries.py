"""How long a try to settle what is owed may take: nobody gives up, so some try must be long enough.

The first may take `TRY_S`, whatever the settings allow an attempt. Each later one may take twice as
long as the one before, up to the longest: a slow provider must not be owed for ever. But only a few
at once may take longer than `TRY_S`. So where tries hang, the others come to their turn all the
same, and when the provider is well again nobody waits for the hanging ones to end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bpdemo.core.errors import AttemptTimeout

T = TypeVar("T")

TRY_S = 1.0
LONGEST_TRY_S = 60.0


def try_limit_s(failed: int) -> float:
    """How long the next try may take when so many have failed."""
    return min(LONGEST_TRY_S, TRY_S * 2.0 ** min(failed, 64))


class LongTries:
    """Limits tries in time; at most `at_once` of them may take longer than `TRY_S`."""

    def __init__(self, at_once: int) -> None:
        self._places = asyncio.Semaphore(at_once)

    async def limit(self, call: Callable[[], Awaitable[T]], failed: int) -> T:
        """What the call gives, or raises; `AttemptTimeout` when its time is over, which is never
        less than `TRY_S`. `failed` tries were made before."""
        limit_s = try_limit_s(failed)
        if limit_s <= TRY_S or self._places.locked():
            return await _in_time(call, TRY_S)
        async with self._places:
            return await _in_time(call, limit_s)


async def _in_time(call: Callable[[], Awaitable[T]], limit_s: float) -> T:
    try:
        async with asyncio.timeout(limit_s):
            return await call()
    except TimeoutError as error:
        raise AttemptTimeout from error
