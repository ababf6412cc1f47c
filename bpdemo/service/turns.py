"""Whose turn it is to try again at one dependency, when thousands may be owed there.

At most `at_once` have a turn. Those who have failed least often come first, so that what cannot be
settled for a reason of its own holds nobody up. While nothing succeeds the turns are spaced out, by
a gap that doubles with each failure and ends with a success:

    turns in any t seconds ≤ t ÷ `LONGEST_GAP_S` + (successes + 1) × (`at_once` + `STEPS`)

So a provider that is down is asked four times a second, however much is owed, and no settings of
retries or breaker change that; one that is well is given all that it takes.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from itertools import count
from math import inf

GAP_S = 0.01
LONGEST_GAP_S = 0.25
#: Failures in a row until the gap is the longest.
STEPS = 6


class Turns:
    """Of one dependency; on the running loop's time."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []  # a heap
        self._arrivals = count()
        self._gap_s = 0.0
        self._last_s = -inf
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def one(self, failed: int) -> AsyncIterator[None]:
        """A turn for the length of the block, for one who has failed so often before."""
        self._loop = asyncio.get_running_loop()
        turn = self._loop.create_future()
        heappush(self._waiting, (failed, next(self._arrivals), turn))
        self._grant()
        try:
            await turn
        except BaseException:
            if not turn.cancel() and not turn.cancelled():  # granted as we were ended
                self._give_back()
            raise
        try:
            yield
        finally:
            self._give_back()

    def succeeded(self) -> None:
        """Somebody did: no more gaps."""
        self._gap_s = 0.0

    def failed(self) -> None:
        """Somebody did: a longer gap."""
        self._gap_s = min(LONGEST_GAP_S, max(GAP_S, 2 * self._gap_s))

    def _give_back(self) -> None:
        self._free += 1
        self._grant()

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
            _, _, turn = heappop(self._waiting)
            if not turn.done():  # or it waits no more
                self._free -= 1
                self._last_s = loop.time()
                turn.set_result(None)
