"""The virtual-time loop, with a moment of silence before each jump of the clock."""

from collections.abc import Callable

from bpdemo.sim.virtual_time import VirtualTimeLoop

#: A world that has not come to rest by then never will.
LIMIT_S = 5e7


class WatchedLoop(VirtualTimeLoop):
    """Calls `on_still` whenever all has happened that can happen at a moment."""

    def __init__(self) -> None:
        super().__init__(LIMIT_S)
        self.on_still: Callable[[], None] | None = None

    def stall(self, seconds: float) -> None:
        """Time passes, and no timer is seen to until it has."""
        self._now += seconds

    @property
    def timers(self) -> int:
        """How many are set, and not cancelled."""
        return sum(not timer.cancelled() for _, _, timer in self._scheduled)

    def _take_due_timers(self) -> None:
        if self.on_still and not self._ready and self._scheduled[0][0] > self._now:
            self.on_still()
        super()._take_due_timers()
