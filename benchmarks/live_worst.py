"""The worst ten seconds of a live run: what the workers did in them, by their tape.

Service times scatter. In a stretch in which the payments drawn are long, the workers end less than
the nominal, however busy they are, and no limit can serve more than that. What they end may be late
all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.arena import STRETCH_S, Scored
from benchmarks.limit_aims import OURS, WORST
from benchmarks.results import told
from benchmarks.taped import Busy


@dataclass(frozen=True)
class Stretch:
    """Shares from 0 to 1: busy workers of all, and jobs that were ended and orders that were served
    in time, both of what was possible."""

    from_s: float
    busy: float
    ended: float
    in_time: float

    @property
    def most(self) -> float:
        """What workers that are never idle would have ended with payments as long as those."""
        return self.ended / self.busy if self.busy else 1.0


def stretch_of(
    score: Scored, possible: float, began_s: float, busy: Busy, workers: int
) -> Stretch | None:
    """None for a run that has none. `possible`: how many orders could be served in it."""
    if score.worst_from_s is None:
        return None
    from_s = began_s + score.worst_from_s
    over_s = from_s + STRETCH_S
    return Stretch(
        from_s=score.worst_from_s,
        busy=busy.mean(from_s, over_s) / workers,
        ended=busy.ended(from_s, over_s) / max(1.0, possible),
        in_time=score.worst,
    )


def told_of_worst(stretches: Mapping[str, Sequence[Stretch]]) -> Iterator[str]:
    """A sentence for each contender, of its middle run; and where ours misses its aim, whether that
    could be had at all."""
    middle = {
        name: sorted(each, key=lambda stretch: stretch.in_time)[len(each) // 2]
        for name, each in stretches.items()
        if each
    }
    for name, at in middle.items():
        yield (
            f"worst ten seconds, {name}: from {at.from_s:g} s on; of what is possible by the mean "
            f"times, the workers, who were busy {at.busy:.0%} of it, ended {told(at.ended)}, and "
            f"{told(at.in_time)} was served in time"
        )
    if OURS not in middle or (ours := middle[OURS]).in_time >= WORST.aim:
        return
    reached = max(middle, key=lambda name: middle[name].in_time)
    could = "no limit" if ours.most < WORST.aim else "a limit"
    yield (
        f"ours misses {told(WORST.aim)} with {told(ours.in_time)}, and {could} could have kept it "
        f"there: with payments as long as those, workers who are never idle end {told(ours.most)}. "
        f"The best of all here, {reached}, has {told(middle[reached].in_time)}"
    )
