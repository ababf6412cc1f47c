"""A sleep that takes, on average, as long as it says.

Timers fire late: on Linux a poll counts whole milliseconds, on Windows the clock ticks every 15.
For a provider that takes 2 ms this would be half as much again, and capacity would not be what the
settings say. So each pause aims short by what the last ones were late. Under a virtual clock
nothing is ever late, and nothing is changed.
"""

import asyncio

#: Each pause counts a tenth in the mean lateness.
WEIGHT = 0.1
#: A loop that was stuck is no tick of a timer; it must not shorten the pauses after it.
MOST_S = 0.02


class Pause:
    """Remembers how late its pauses have been."""

    __slots__ = ("_late_s",)

    def __init__(self) -> None:
        self._late_s = 0.0

    async def take(self, seconds: float) -> None:
        """Return after `seconds`, give or take a tick. 0 does not even yield."""
        if seconds <= 0:
            return
        loop = asyncio.get_running_loop()
        due_s = loop.time() + seconds
        # As asyncio.sleep does it, with one coroutine less: every payment passes here.
        over = loop.create_future()
        timer = loop.call_later(max(0.0, seconds - self._late_s), _end, over)
        try:
            await over
        except BaseException:
            timer.cancel()
            raise
        error_s = loop.time() - due_s
        if error_s > 0 or self._late_s:
            self._late_s = max(0.0, self._late_s + WEIGHT * min(error_s, MOST_S))


def _end(pause: asyncio.Future[None]) -> None:
    if not pause.done():  # who took it may have been cancelled meanwhile
        pause.set_result(None)
