"""By how much the event loop is late: the first thing to look at when latencies make no sense."""

import asyncio

from bpdemo.core.events import LoopLagged
from bpdemo.core.ports import Observer

#: After a longer gap (a machine that slept) the missed timers are forgotten.
MAX_MISSED = 100


class LoopLagMeter:
    """Sets a timer every `interval_s` and tells by how much each was missed.

    Timers stand on a fixed grid. A loop that was stuck for a second has missed ten of them and
    tells all ten: sampling only when the loop has time to sample would leave out just those.
    """

    def __init__(self, observer: Observer, interval_s: float = 0.1) -> None:
        if interval_s <= 0:
            raise ValueError(f"interval_s: {interval_s} is not above 0")
        self._observer = observer
        self._interval_s = interval_s

    async def run(self) -> None:
        """Measures until it is cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._interval_s
        while True:
            await asyncio.sleep(due - loop.time())
            due = self._tell_missed(due, loop.time())

    def _tell_missed(self, due: float, now: float) -> float:
        """Tells every timer that has come due, at least the one waited for; returns the next."""
        for _ in range(MAX_MISSED):
            self._tell(max(0.0, now - due))
            due += self._interval_s
            if due > now:
                return due
        return now + self._interval_s

    def _tell(self, lag_s: float) -> None:
        self._observer.observe(LoopLagged(lag_s))
