"""Whose turn it is to try again at one dependency, when thousands may be owed there.

At most `at_once` have a turn. Every second one goes to those who have failed least often, so that
what cannot be settled for a reason of its own holds nobody up; and every other one to those who
have waited longest, so that new debts do not starve the old ones, however fast they arrive:

    turns until anybody has one ≤ 2 × (how many wait as they ask, with them)

While nothing succeeds the turns are spaced out, by a gap that doubles with each failure and ends
with a success:

    turns in any t seconds ≤ t ÷ `LONGEST_GAP_S` + (successes + 1) × (`at_once` + `STEPS`)

So a provider that is down is asked four times a second, however much is owed, and no settings of
retries or breaker change that; one that is well is given all that it takes.
"""

import asyncio
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from math import inf
from typing import NamedTuple

GAP_S = 0.01
LONGEST_GAP_S = 0.25
#: Failures in a row until the gap is the longest.
STEPS = 6


class _Asker(NamedTuple):
    failed: int
    number: int  # in the order of asking


class Turns:
    """Of one dependency; on the running loop's time."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: OrderedDict[_Asker, asyncio.Future[None]] = OrderedDict()
        self._least_failed: list[_Asker] = []  # the same ones, sorted
        self._is_longest_next = False
        self._numbers = count()
        self._gap_s = 0.0
        self._last_s = -inf
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def one(self, failed: int) -> AsyncIterator[None]:
        """A turn for the length of the block, for one who has failed so often before."""
        self._loop = asyncio.get_running_loop()
        turn = self._loop.create_future()
        asker = _Asker(failed, next(self._numbers))
        self._waiting[asker] = turn
        insort(self._least_failed, asker)
        self._grant()
        try:
            await turn
        except BaseException:
            if asker in self._waiting:
                self._remove(asker)
            elif not turn.cancelled():  # granted as we were ended
                self._give_back()
            raise
        try:
            yield
        finally:
            self._give_back()

    @contextmanager
    def one_now(self) -> Iterator[bool]:
        """Whether there is a turn at this moment; if so, it is ours for the length of the block."""
        self._loop = asyncio.get_running_loop()
        if not self._free or self._waiting or self._loop.time() < self._last_s + self._gap_s:
            yield False
            return
        self._begin()
        try:
            yield True
        finally:
            self._give_back()

    def succeeded(self) -> None:
        """Somebody did: no more gaps."""
        self._gap_s = 0.0

    def failed(self) -> None:
        """Somebody did: a longer gap."""
        self._gap_s = min(LONGEST_GAP_S, max(GAP_S, 2 * self._gap_s))

    def _begin(self) -> None:
        assert self._loop is not None
        self._free -= 1
        self._last_s = self._loop.time()

    def _give_back(self) -> None:
        self._free += 1
        self._grant()

    def _remove(self, asker: _Asker) -> asyncio.Future[None]:
        del self._least_failed[bisect_left(self._least_failed, asker)]
        return self._waiting.pop(asker)

    def _grant(self) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():  # what is left is being collected
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._free and self._waiting:
            due_s = self._last_s + self._gap_s
            if loop.time() < due_s:
                self._timer = loop.call_at(due_s, self._grant)
                return
            longest, least_failed = next(iter(self._waiting)), self._least_failed[0]
            turn = self._remove(longest if self._is_longest_next else least_failed)
            if not turn.done():  # or it waits no more, and is about to hear so
                self._is_longest_next = not self._is_longest_next
                self._begin()
                turn.set_result(None)
