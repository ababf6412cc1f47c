"""Proves that the swarm can fail: each planted fault must be found, and within so many seeds."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from tests.vopr.dice import draw_script
from tests.vopr.planting import Plant, planted
from tests.vopr.plants import PLANTS
from tests.vopr.playing import examine
from tests.vopr.swarm import Stop, examine_seed

MOST_SEEDS = 1000
WIDTH = 70


@dataclass(frozen=True)
class Found:
    """Where the swarm met a fault first; `kind` is what it says is wrong there."""

    seed: int
    kind: str


def seek(plant: Plant, seeds: Iterable[int], stop: Stop | None = None) -> Found | None:
    """The first seed that fails with the fault and would not have failed so without it."""
    for seed in seeds:
        if stop is not None and stop.asked:
            break
        with planted(plant):
            wrongs = examine_seed(seed).wrongs
        if wrongs:
            anyway = {wrong.kind for wrong in examine(draw_script(seed)).wrongs}
            new = [wrong.kind for wrong in wrongs if wrong.kind not in anyway]
            if new:
                return Found(seed, new[0])
    return None


def prove(start: int, seeds: int, stop: Stop) -> int:
    """Try all, as a table. 1 when one was not found."""
    missed = []
    for plant in PLANTS:
        began_s = time.monotonic()
        found = seek(plant, range(start, start + seeds), stop)
        if stop.asked:
            break
        where = f"MISSED in {seeds} seeds"
        if found:
            where = f"{found.seed - start + 1:4} seeds: {found.kind}"
        took_s = time.monotonic() - began_s
        print(f"{plant.name:{WIDTH}} {took_s:5.0f} s   {where}", flush=True)
        if found is None:
            missed.append(plant)
    else:
        print(f"{len(PLANTS) - len(missed)} of {len(PLANTS)} planted faults were found.")
    return int(bool(missed))
