"""Two monotonic clocks that know nothing of each other: how far apart, and how sure is that?

One asks the other what it shows. The answer was read somewhere between asking and hearing, so the
middle of the two is off by at most half the round trip (Cristian 1989). Of several readings the one
with the shortest round trip is the surest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Offset:
    """Theirs minus ours, within `error_s` of `seconds`."""

    seconds: float
    error_s: float

    @classmethod
    def of(cls, asked_s: float, theirs_s: float, heard_s: float) -> Self:
        """From our clock when asking and when hearing, and theirs in between."""
        return cls(theirs_s - (asked_s + heard_s) / 2, (heard_s - asked_s) / 2)

    def theirs(self, ours_s: float) -> float:
        """What their clock shows when ours shows `ours_s`."""
        return ours_s + self.seconds


def surest(readings: Sequence[Offset]) -> Offset:
    return min(readings, key=lambda reading: reading.error_s)


def apart_s(before: Offset, after: Offset) -> float:
    """How far a time told on their clock may be from ours by the end, having been set by `before`.

    What the clocks were seen to drift apart, and what neither reading can exclude.
    """
    return abs(after.seconds - before.seconds) + before.error_s + after.error_s
