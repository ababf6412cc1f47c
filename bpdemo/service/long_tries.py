"""How long a try to settle what is owed may take: nobody gives up, so some try must be long enough.

The first may take `TRY_S`, whatever the settings allow an attempt. Each later one may take twice as
long as the one before, up to the longest: a slow provider must not be owed for ever. But only a few
at once may take longer than `TRY_S`, so that where tries hang, the others come to their turn all
the same. And when one succeeds after so many failures that the provider must have been down, those
that hang since before that are cut short: each may be made again, and would be answered now.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bpdemo.core.errors import AttemptTimeout

T = TypeVar("T")

TRY_S = 1.0
LONGEST_TRY_S = 60.0
#: So many failures in a row are no bad luck any more.
DOWN = 5


def try_limit_s(failed: int) -> float:
    """How long the next try may take when so many have failed."""
    return min(LONGEST_TRY_S, TRY_S * 2.0 ** min(failed, 64))


class LongTries:
    """Limits the tries at one provider; at most `at_once` of them may take longer than `TRY_S`."""

    def __init__(self, at_once: int) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._begun_s: dict[asyncio.Timeout, float] = {}  # of the long ones that go on
        self._failed_in_a_row = 0

    async def limit(self, call: Callable[[], Awaitable[T]], failed: int) -> T:
        """What the call gives, or raises; `AttemptTimeout` when its time is over.

        `failed` tries were made before. It has `TRY_S` at least, unless it is cut short.
        """
        limit_s = try_limit_s(failed)
        if limit_s <= TRY_S or self._places.locked():
            return await self._in_time(call, TRY_S)
        async with self._places:
            return await self._in_time(call, limit_s)

    async def _in_time(self, call: Callable[[], Awaitable[T]], limit_s: float) -> T:
        begun_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(limit_s) as timer:
                if limit_s > TRY_S:
                    self._begun_s[timer] = begun_s
                result = await call()
        except BaseException as error:
            self._failed_in_a_row += 1
            if isinstance(error, TimeoutError):
                raise AttemptTimeout from error
            raise
        finally:
            self._begun_s.pop(timer, None)
        if self._failed_in_a_row >= DOWN:
            self._cut_short(begun_s)
        self._failed_in_a_row = 0
        return result

    def _cut_short(self, well_since_s: float) -> None:
        """End what was begun before, and has lasted twice as long as what has just succeeded."""
        now = asyncio.get_running_loop().time()
        enough_s = max(TRY_S, 2 * (now - well_since_s))
        for timer, begun_s in self._begun_s.items():
            if begun_s < well_since_s and now - begun_s > enough_s and not timer.expired():
                timer.reschedule(now)
