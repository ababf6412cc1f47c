"""What was measured: tables of repeated figures, and the aims they are held to."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import plotly.graph_objects as go
from pydantic import BaseModel

Say = Callable[[str], object]


@dataclass(frozen=True)
class Size:
    """How thorough a run is. `seconds` is one load, `calls` one timing of a part.

    `long_rounds` are for where a round takes long.
    """

    name: str
    rounds: int
    long_rounds: int
    seconds: float
    calls: int

    @property
    def bursts(self) -> int:
        """Rounds of a fifth of `seconds`: of many short ones a busy moment spoils few."""
        return 5 * self.rounds

    @property
    def burst_s(self) -> float:
        return self.seconds / 5


TINY = Size("tiny", rounds=1, long_rounds=1, seconds=0.5, calls=200)
QUICK = Size("quick", rounds=3, long_rounds=2, seconds=2.5, calls=20_000)
FULL = Size("full", rounds=5, long_rounds=3, seconds=4.0, calls=50_000)


class Table(BaseModel):
    """A row for each contender; a cell holds the figure of each round. No figure: not measured."""

    title: str
    columns: list[str]
    rows: dict[str, list[list[float]]]
    notes: str = ""

    @classmethod
    def of_one(
        cls, title: str, unit: str, figures: Mapping[str, list[float]], notes: str = ""
    ) -> Table:
        """A table of a single column."""
        rows = {name: [values] for name, values in figures.items()}
        return cls(title=title, columns=[unit], rows=rows, notes=notes)


class Aim(BaseModel):
    """What was promised, and the figure of each round. It is met if the median keeps it."""

    text: str
    values: list[float]
    at_least: float | None = None
    at_most: float | None = None
    #: Where `at_most` has room for chance: what it would be without.
    at_most_for_sure: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def is_met(self) -> bool:
        if self.at_least is not None and self.median < self.at_least:
            return False
        return self.at_most is None or self.median <= self.at_most

    @property
    def is_met_for_sure(self) -> bool:
        """Met without the room for chance."""
        sure = self.at_most_for_sure
        return self.is_met and (sure is None or self.median <= sure)


class Report(BaseModel):
    """What one section found. `what` says against whom, and why that is fair."""

    title: str
    what: str
    logs: str
    tables: list[Table]
    aims: list[Aim] = []
    notes: list[str] = []
    pictures: list[str] = []


@dataclass
class Found:
    """A report and the figures that go with it, by name of the picture."""

    report: Report
    figures: dict[str, go.Figure] = field(default_factory=dict)


def ratio(figures: Mapping[str, list[float]], a: str, b: str, less: str = "") -> list[float]:
    """a ÷ b, round by round: what slows the machine for a moment slows both.

    `less` names what both contain and is taken off first.
    """
    off = figures[less] if less else [0.0] * len(figures[a])
    return [(x - z) / (y - z) for x, y, z in zip(figures[a], figures[b], off, strict=True)]


def interleaved(
    contenders: Mapping[str, Callable[[], float]], rounds: int, say: Say
) -> dict[str, list[float]]:
    """Measure all of them in turn, `rounds` times over, after one round that does not count."""
    for name, measure in contenders.items():
        say(f"warming up: {name}")
        measure()
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, measure in contenders.items():
            say(f"round {number + 1} of {rounds}: {name}")
            figures[name].append(measure())
    return figures
