"""Python's garbage collector, made fit for a service that holds thousands of waiting requests."""

import asyncio
import gc
import time
from collections.abc import Callable
from math import inf


def calm_collector() -> None:
    """Make full collections rare: each stops the whole process while it looks at everything.

    A naive service in overload holds tens of thousands of objects for each second of its queue. At
    the usual thresholds full collections paused it for up to half a second each [seen: a loop lag
    of 190 to 840 ms, and 8 to 17 ms with these], which would be measured as the machine's fault.
    What exists by now is never looked at again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 1_000, 1_000)


class Sweeper:
    """Collects what failed requests leave behind, at moments when that is cheap.

    Each error holds on to the frames it passed, and they to it. Those that a young collection finds
    still in use are kept from then on, dead or not: full collections hardly come [seen: 12 MB a
    minute of them, in a storm of failures]. With few requests in flight a full one takes a few
    milliseconds, so it is made then; in the depth of a naive overload it is not. Connections that
    are open and ask for nothing have objects, too [seen: 0.4 s for 10,000 of them]: so each sweep
    tells from what it took when the next may be, and no later than after five minutes, for garbage
    takes time as well, and must not put off its own end.
    """

    LOOK_S = 5.0
    #: Of the time that passes: what takes 0.4 s is made once in 200 s, and not every 5.
    MOST_SHARE = 0.002
    LONGEST_WAIT_S = 300.0
    #: So many young collections since the last sweep: a service at rest is left alone.
    WORTH_IT = 10
    FEW_IN_FLIGHT = 200

    def __init__(
        self, in_flight: Callable[[], int], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._in_flight = in_flight
        self._clock = clock
        self._not_before_s = -inf

    def start(self) -> None:
        """Look every `LOOK_S`, for as long as the running loop does."""
        asyncio.get_running_loop().call_later(self.LOOK_S, self._look)

    def _look(self) -> None:
        self.sweep_if_cheap()
        self.start()

    def sweep_if_cheap(self) -> None:
        """Collect everything, if there is enough to collect and few would notice."""
        began_s = self._clock()
        if (
            began_s >= self._not_before_s
            and gc.get_count()[1] >= self.WORTH_IT
            and self._in_flight() <= self.FEW_IN_FLIGHT
        ):
            gc.collect()
            wait_s = (self._clock() - began_s) / self.MOST_SHARE
            self._not_before_s = began_s + min(wait_s, self.LONGEST_WAIT_S)
