"""How long a try to settle what is owed may take: nobody gives up, so some try must be long enough.

The first may take `TRY_S`, whatever the settings allow an attempt. Each later one may take twice as
long as the one before, up to the longest: a slow provider must not be owed for ever. And all learn
from each other, so that a debt need not fail by itself before it has the time that others needed:
any try may take twice as long as the slowest of the last `REMEMBERED` successes, and twice as long
as the longest that has run out of time since. But only a few at once may take longer than `TRY_S`,
so that where tries hang, the others come to their turn all the same.

When one succeeds after so many failures that the provider must have been down, those that hang
since before that are cut short: each may be made again, and would be answered now. That happens
once in the time of two longest tries at most: what only looks like it, a provider that is quick
with some and slow with others, has time to finish the slow ones in between.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from math import inf
from typing import TypeVar

from bpdemo.core.errors import AttemptTimeout

T = TypeVar("T")

TRY_S = 1.0
LONGEST_TRY_S = 60.0
#: So many failures in a row are no bad luck any more.
DOWN = 5
#: Successes whose time says how long a try may take.
REMEMBERED = 8


def try_limit_s(failed: int) -> float:
    """How long the next try may take when so many have failed."""
    return min(LONGEST_TRY_S, TRY_S * 2.0 ** min(failed, 64))


class LongTries:
    """Limits the tries at one provider; at most `at_once` of them may take longer than `TRY_S`."""

    def __init__(self, at_once: int) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._begun_s: dict[asyncio.Timeout, float] = {}  # of the long ones that go on
        self._failed_in_a_row = 0
        self._took_s = deque[float](maxlen=REMEMBERED)
        self._ran_out_s = 0.0  # the longest since a success
        self._cut_at_s = -inf

    async def limit(self, call: Callable[[], Awaitable[T]], failed: int) -> T:
        """What the call gives, or raises; `AttemptTimeout` when its time is over.

        `failed` tries were made before. It has `TRY_S` at least, unless it is cut short.
        """
        limit_s = max(try_limit_s(failed), self._learned_s())
        if limit_s <= TRY_S or self._places.locked():
            return await self._in_time(call, TRY_S)
        async with self._places:
            return await self._in_time(call, limit_s)

    def _learned_s(self) -> float:
        return min(LONGEST_TRY_S, 2 * max(self._ran_out_s, *self._took_s, 0.0))

    async def _in_time(self, call: Callable[[], Awaitable[T]], limit_s: float) -> T:
        begun_s = asyncio.get_running_loop().time()
        cut_at_s = self._cut_at_s
        try:
            async with asyncio.timeout(limit_s) as timer:
                if limit_s > TRY_S:
                    self._begun_s[timer] = begun_s
                result = await call()
        except BaseException as error:
            self._failed_in_a_row += 1
            if isinstance(error, TimeoutError):
                if timer.expired() and self._cut_at_s == cut_at_s:
                    self._ran_out_s = max(self._ran_out_s, limit_s)
                raise AttemptTimeout from error
            raise
        finally:
            self._begun_s.pop(timer, None)
        if self._failed_in_a_row >= DOWN:
            self._cut_short(begun_s)
        self._failed_in_a_row, self._ran_out_s = 0, 0.0
        self._took_s.append(asyncio.get_running_loop().time() - begun_s)
        return result

    def _cut_short(self, well_since_s: float) -> None:
        """End what was begun before, and has lasted twice as long as what has just succeeded."""
        now = asyncio.get_running_loop().time()
        if now - self._cut_at_s < 2 * LONGEST_TRY_S:
            return
        enough_s = max(TRY_S, 2 * (now - well_since_s))
        for timer, begun_s in self._begun_s.items():
            if begun_s < well_since_s and now - begun_s > enough_s and not timer.expired():
                timer.reschedule(now)
                self._cut_at_s = now
