"""Counts over the last few seconds, in ten slots: cheap, and old news drops out by itself."""

from collections.abc import Callable

SLOTS = 10
#: A window of no length would have slots of no width.
SHORTEST_S = 0.001


class RollingCounts:
    """How many were counted during the last `window_s`, and how many of those were marked.

    The oldest slot leaves whole, so the window really spans between 0.9 and 1.0 of `window_s`.
    """

    __slots__ = ("_clock", "_marks", "_slot", "_totals", "_width_s", "marked", "total")

    def __init__(self, window_s: float, clock: Callable[[], float]) -> None:
        self._width_s = max(window_s, SHORTEST_S) / SLOTS
        self._clock = clock
        self._totals = [0] * SLOTS
        self._marks = [0] * SLOTS
        self._slot = int(clock() / self._width_s)
        self.total = 0
        self.marked = 0

    def count(self) -> None:
        self.expire()
        self._totals[self._slot % SLOTS] += 1
        self.total += 1

    def mark(self) -> None:
        self.expire()
        self._marks[self._slot % SLOTS] += 1
        self.marked += 1

    def expire(self) -> None:
        """Bring `total` and `marked` up to date."""
        slot = int(self._clock() / self._width_s)
        if slot != self._slot:
            self._forget_until(slot)

    def _forget_until(self, slot: int) -> None:
        # A clock that steps back must not wipe what is still recent, nor stop the counting.
        for gone in range(self._slot + 1, min(slot, self._slot + SLOTS) + 1):
            index = gone % SLOTS
            self.total -= self._totals[index]
            self.marked -= self._marks[index]
            self._totals[index] = self._marks[index] = 0
        self._slot = slot
