"""What a limit could reach at all: a fixed bound that is chosen afterwards, in the hardest scenes.

Of the section [limits](#limits), the scenes in which ours has missed an aim. Nobody can know the
best bound beforehand; here it is chosen afterwards. Among bounds from one to sixteen orders a
worker, a simpler model (one queue, `benchmarks/fifo.py`, with arrivals of its own, and a quarter of
an hour at most) picks that of the best goodput and that of the best worst ten seconds. The
service's own code then plays these two, and ours, on the same seeds. An aim which they miss as well
is hardly to be had by a bound, though other bounds were not played; where they keep it, or where
they are well ahead, ours pays for not knowing. The drift lasts half an hour here.

Where calls never answer, two in a hundred hold a worker for the 0.4 s of the attempt timeout
instead of 42 ms, so that all the workers together can answer no more than 0.84 of the nominal
capacity in the long run. In the drift two workers with times that scatter are now idle and now far
behind: each order more that may wait keeps them busier, and makes more orders late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from statistics import fmean, median
from typing import Final

from benchmarks.arena import Rival, Scene, Scored, played
from benchmarks.fifo import score
from benchmarks.limit_aims import FIGURES, GOODPUT, HARD, OURS, WORST
from benchmarks.measured import Found, Report, Say, Size, Table
from benchmarks.results import told
from benchmarks.sections.limits import HALF_AN_HOUR_S, RIVALS, scenes, seeds_of
from bpdemo.flow.limiter import FixedLimit

PER_WORKER: Final = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
#: A scene is no longer than this, in which one queue looks for the bound.
LOOK_S: Final = 900.0


#: By what a bound is chosen.
CHOSEN_BY: Final = {"best for goodput": GOODPUT, "best for the worst 10 s": WORST}


def measure(size: Size, say: Say) -> Found:
    found: dict[str, dict[str, list[Scored]]] = {}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for scene in (each for each in scenes(size, HALF_AN_HOUR_S) if each.name in HARD):
            say(f"{scene.name}: looking for the best bounds")
            judged = seeds_of(scene, size)
            rivals = {OURS: next(rival for rival in RIVALS if rival.name == OURS)}
            looked = pool.map(partial(_looked, scene, judged), bounds(scene))
            best = best_bounds(dict(zip(bounds(scene), looked, strict=True)))
            rivals |= {
                f"{name}: {bound} in flight": Rival(name, {"max_in_flight": bound})
                for name, bound in best.items()
            }
            say(f"{scene.name}: playing them")
            asked = [(name, seed) for name in rivals for seed in judged]
            rows: dict[str, list[Scored]] = {name: [] for name in rivals}
            results = pool.map(partial(_one, scene, rivals), asked)
            for (name, _), scored in zip(asked, results, strict=True):
                rows[name].append(scored)
            found[scene.name] = rows
    return Found(report(found))


def bounds(scene: Scene) -> list[int]:
    """Those among which the best is looked for."""
    workers = scene.knobs.get("workers", 8)
    return sorted({round(times * workers) for times in PER_WORKER})


def best_bounds(looked: Mapping[int, list[Scored]]) -> dict[str, int]:
    """By each of the figures, over all the seeds."""
    return {
        name: max(looked, key=lambda bound: fmean(map(figure.of, looked[bound])))
        for name, figure in CHOSEN_BY.items()
    }


def _looked(scene: Scene, seeds: range, bound: int) -> list[Scored]:
    short = Scene(scene.name, scene.times, min(scene.seconds, LOOK_S), scene.knobs, scene.changes)
    return [score(FixedLimit(bound), short, seed) for seed in seeds]


def _one(scene: Scene, rivals: Mapping[str, Rival], asked: tuple[str, int]) -> Scored:
    name, seed = asked
    return played(scene, rivals[name], seed)


def report(found: Mapping[str, Mapping[str, list[Scored]]]) -> Report:
    """A table for each scene, and what it says of each aim that ours misses there."""
    return Report(
        title="What a limit could reach",
        what=__doc__ or "",
        logs="off (virtual time)",
        tables=[_table(name, rows) for name, rows in found.items()],
        notes=[note for name, rows in found.items() for note in verdicts(name, rows)],
    )


def _table(name: str, rows: Mapping[str, list[Scored]]) -> Table:
    return Table(
        title=name[:1].upper() + name[1:],
        columns=[figure.name for figure in FIGURES],
        rows={
            rival: [list(map(figure.of, scores)) for figure in FIGURES]
            for rival, scores in rows.items()
        },
    )


def verdicts(scene: str, rows: Mapping[str, list[Scored]]) -> Iterable[str]:
    """A sentence for each aim that ours misses: whether a bound chosen afterwards keeps it."""
    for figure in FIGURES:
        values = {rival: list(map(figure.of, scores)) for rival, scores in rows.items()}
        mine = values.pop(OURS)
        if figure.keeps(mine):
            continue
        order = max if figure.is_more_better else min
        best = order(values, key=lambda rival: median(values[rival]))
        reached, had = median(values[best]), median(mine)
        missed = f"{scene}, {figure.name}: ours misses {told(figure.aim)} with {told(had)}"
        if figure.keeps(values[best]):
            yield f"{missed}; a bound chosen afterwards ({best}) keeps it with {told(reached)}"
        else:
            behind = reached - had if figure.is_more_better else had - reached
            where = f"ours is {told(behind)} behind" if behind > 0 else "ours is not behind"
            yield (
                f"{missed}, and so do the bounds chosen afterwards: the better one ({best}) "
                f"reaches {told(reached)}, {where}"
            )
