"""Counts over the last few seconds, in ten slots: cheap, and old news drops out by itself."""

from collections.abc import Callable
from math import floor

SLOTS = 10
#: A window of no length would have slots of no width.
SHORTEST_S = 0.001


class RollingCounts:
    """How many were counted during the last `window_s`, and how many of those were marked.

    The oldest slot leaves whole, so the window really spans between 0.9 and 1.0 of `window_s`.
    """

    __slots__ = (
        "_begins_s", "_clock", "_ends_s", "_marks", "_other_marks", "_other_totals", "_slot",
        "_totals", "_width_s", "marked", "total",
    )  # fmt: skip

    def __init__(self, window_s: float, clock: Callable[[], float]) -> None:
        self._width_s = max(window_s, SHORTEST_S) / SLOTS
        self._clock = clock
        self.total = 0
        self.marked = 0
        # A slot's own counts are written down when it ends. Until then they are what the sums
        # have grown by since: so to count is to compare the time and to add one.
        self._totals = [0] * SLOTS
        self._marks = [0] * SLOTS
        self._other_totals = 0
        self._other_marks = 0
        self._begin(floor(clock() / self._width_s))

    def count(self) -> int:
        """One more; tells how many are marked by now."""
        if not self._begins_s <= self._clock() < self._ends_s:
            self._turn()
        self.total += 1
        return self.marked

    def mark(self) -> None:
        self.expire()
        self.marked += 1

    def unmark(self, at_s: float) -> None:
        """Take back a mark that was made then; nothing happens if its slot has left the window."""
        self.expire()
        slot = floor(at_s / self._width_s)
        if slot == self._slot:
            self.marked -= 1
        elif self._slot - SLOTS < slot < self._slot and self._marks[slot % SLOTS]:
            self._marks[slot % SLOTS] -= 1
            self._other_marks -= 1
            self.marked -= 1

    def expire(self) -> None:
        """Bring `total` and `marked` up to date."""
        if not self._begins_s <= self._clock() < self._ends_s:
            self._turn()

    def _turn(self) -> None:
        index = self._slot % SLOTS
        self._totals[index] = self.total - self._other_totals
        self._marks[index] = self.marked - self._other_marks
        slot = floor(self._clock() / self._width_s)
        # A clock that steps back must not wipe what is still recent, nor stop the counting.
        for gone in range(self._slot + 1, min(slot, self._slot + SLOTS) + 1):
            self._forget(gone % SLOTS)
        self._begin(slot)

    def _forget(self, index: int) -> None:
        self.total -= self._totals[index]
        self.marked -= self._marks[index]
        self._totals[index] = self._marks[index] = 0

    def _begin(self, slot: int) -> None:
        self._slot = slot
        self._begins_s, self._ends_s = slot * self._width_s, (slot + 1) * self._width_s
        self._other_totals = self.total - self._totals[slot % SLOTS]
        self._other_marks = self.marked - self._marks[slot % SLOTS]
