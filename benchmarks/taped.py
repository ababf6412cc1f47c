"""`bpdemo serve` that notes each time how many of its workers are busy.

    python -m benchmarks.taped FILE serve --port 8000 …

Where a limit stands in another process than the workers, as a proxy does, nobody inside can say
whether a request was rejected while a worker was idle. So every service keeps such a tape, by the
machine's monotonic clock, and what callers saw is laid beside it.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bpdemo.cli.main import main as bpdemo
from bpdemo.flow.seats import Seats


class Tape:
    """Writes a line for each change, at once: a process that is killed loses none."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1, encoding="ascii")

    def note(self, busy: int) -> None:
        self._file.write(f"{time.monotonic():.6f} {busy}\n")

    def close(self) -> None:
        self._file.close()


@dataclass(frozen=True)
class Busy:
    """How many workers were busy, from each of `at_s` on."""

    at_s: NDArray[np.float64]
    workers: NDArray[np.float64]

    @classmethod
    def read(cls, path: Path) -> Self:
        lines = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
        at_s, workers = np.array([(0.0, 0.0), *lines], dtype=float).T
        return cls(at_s, workers)

    def most(self, from_s: float, until_s: float) -> int:
        """The most that were busy at any moment of that time."""
        first, end = np.searchsorted(self.at_s, (from_s, until_s), side="right")
        return int(self.workers[max(0, first - 1) : max(first, end)].max())

    def mean(self, from_s: float, until_s: float) -> float:
        """How many were busy on average over that time."""
        inside = (self.at_s > from_s) & (self.at_s < until_s)
        at_s = np.concatenate(([from_s], self.at_s[inside], [until_s]))
        first = np.searchsorted(self.at_s, from_s, side="right") - 1
        workers = np.concatenate(([self.workers[max(0, first)]], self.workers[inside]))
        return float(np.diff(at_s) @ workers / (until_s - from_s))

    def ended(self, from_s: float, until_s: float) -> int:
        """How many jobs were done in that time: as often as one worker less was busy."""
        is_less = np.diff(self.workers, prepend=0.0) < 0
        return int(is_less[(self.at_s >= from_s) & (self.at_s < until_s)].sum())


def tape_seats(tape: Tape) -> None:
    """Every worker that takes a job or has done one is noted from now on."""
    acquire, release = Seats.acquire, Seats.release

    def acquired(seats: Seats) -> None:
        acquire(seats)
        tape.note(seats.busy)

    def released(seats: Seats) -> None:
        release(seats)
        tape.note(seats.busy)

    Seats.acquire, Seats.release = acquired, released  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    tape_seats(Tape(Path(sys.argv.pop(1))))
    bpdemo()
