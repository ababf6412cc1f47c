"""The twin beside the service it stands for: one plan at both, and how far apart they come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bpdemo.core.choices import Profile
from bpdemo.core.settings import Settings
from bpdemo.lab.services.service import serve
from bpdemo.lab.services.simulation import simulate
from bpdemo.load.loads import load
from bpdemo.load.run import LoadRun
from bpdemo.plan.fates import FATES
from bpdemo.results.validity import NotMeasured

#: Of the offer: so far apart may the share of a fate be.
WITHIN: Final = 0.03
#: Simulated loads of other seeds, which say how much of a maximum is chance.
SEEDS: Final = 8
#: In requests: a look every 0.1 s may miss the top of a peak.
SLACK: Final = 2.0
MAXIMA: Final = ("queue_depth", "in_flight")
#: Cells that are played at the same time; each asks for a tenth of a core.
TOGETHER: Final = 6


@dataclass(frozen=True)
class Cell:
    """A service (`profile` and `knobs`) and what comes at it (`plan`, as `load` takes it)."""

    name: str
    knobs: Mapping[str, Any]
    plan: Mapping[str, Any]
    profile: Profile = "protected"

    def simulated(self, seconds: float, seed: int) -> LoadRun:
        make = Settings if self.profile == "protected" else Settings.unprotected
        return simulate(make(**self.knobs), seconds=seconds, seed=seed, **self.plan)

    def live(self, seconds: float, seed: int) -> LoadRun:
        """At a service in a process of its own. Raises `NotMeasured` if the machine was busy."""
        name = f"conformance: {self.name}"
        with serve(self.profile, where="process", name=name, **self.knobs) as service:
            run: LoadRun = load(service, seconds=seconds, seed=seed, **self.plan)
        return run.require_valid()


@dataclass(frozen=True)
class Compared:
    """One cell under one plan, live and simulated; `twins` begin with that same plan, and go on
    with other seeds."""

    cell: Cell
    live: LoadRun
    twins: Sequence[LoadRun]

    @property
    def apart(self) -> dict[str, float]:
        """By how much of the offer each fate differs."""
        live, twin = shares_of(self.live), shares_of(self.twins[0])
        return {fate: live[fate] - twin[fate] for fate in FATES}

    @property
    def furthest(self) -> float:
        return max(map(abs, self.apart.values()))

    def within_noise(self, of: str) -> tuple[float, float]:
        """What chance allows of a maximum: the range of the simulated ones, widened by `SLACK`.

        Upwards by `WITHIN` of the greatest, too: an endless queue adds up what fates may differ by.
        """
        seen = [most(twin, of) for twin in self.twins]
        return min(seen) - SLACK, max(seen) * (1 + WITHIN) + SLACK

    @property
    def beyond_noise(self) -> list[str]:
        """The maxima that do not agree, in words."""
        said = []
        for of in MAXIMA:
            seen, (low, high) = most(self.live, of), self.within_noise(of)
            if not low <= seen <= high:
                said.append(f"most {of}: {seen:g} live, {low:g} to {high:g} simulated")
        return said

    @property
    def complaints(self) -> list[str]:
        """What does not agree, in words; empty if all does."""
        live, twin = shares_of(self.live), shares_of(self.twins[0])
        said = [
            f"{fate}: {live[fate]:.3f} of the offer live, {twin[fate]:.3f} simulated"
            for fate, apart in self.apart.items()
            if abs(apart) > WITHIN
        ]
        return [f"{self.cell.name}: {each}" for each in [*said, *self.beyond_noise]]


def shares_of(run: LoadRun) -> dict[str, float]:
    """What became of the offer."""
    counts = np.bincount(run.records.fate, minlength=len(FATES))
    return {
        fate: float(n) / max(1, len(run.records)) for fate, n in zip(FATES, counts, strict=True)
    }


def most(run: LoadRun, of: str) -> float:
    return float(getattr(run.samples, of).max())


def compare(
    cells: Sequence[Cell],
    seconds: float,
    seed: int = 1,
    told: Callable[[str], object] = lambda _: None,
) -> dict[str, Compared | NotMeasured]:
    """Every cell played both ways, several at a time; those for which the machine was too busy
    twice are not measured."""

    def play(cell: Cell) -> Compared | NotMeasured:
        told(cell.name)
        for _ in range(2):
            try:
                live = cell.live(seconds, seed)
            except NotMeasured as error:
                spoilt = error
            else:
                twins = [cell.simulated(seconds, seed + more) for more in range(SEEDS + 1)]
                return Compared(cell, live, twins)
        return spoilt

    with ThreadPoolExecutor(TOGETHER) as pool:
        return dict(zip([cell.name for cell in cells], pool.map(play, cells), strict=True))
