"""What a limit still adds: behind all the other protections, in three of the scenes.

Of the section [limits](#limits) three scenes, and the same seeds, before the service as it comes:
a queue of 32, a deadline of two seconds, and no work for those who have left. So *protected* alone
is what a limit must beat here. Each limit that adapts has its published constants, starts
where the service lets it start (two orders a worker, as far as the queue has room), and may go from
1 to 1000; the bound of the queue holds beside it. AIMD and Envoy's gradient are played in the full
form alone; the drift lasts half an hour in both.

*Goodput*, *worst* and *false* are those of the section [limits](#limits). The queue suits eight
workers. For the two of the drift it is four times too long: at its end an order waits longer than
its caller does.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from statistics import median
from typing import Final

from benchmarks.arena import NAIVE, Rival, Scene, Scored
from benchmarks.measured import FULL, Found, Report, Say, Size
from benchmarks.results import told
from benchmarks.sections.limits import HALF_AN_HOUR_S, play_one, scenes, score_table, seeds_of
from bpdemo.core.settings import Settings
from bpdemo.flow.limits.choice import LIMITS

ALONE: Final = "protected"
#: Capacity changes, calls hang, and a queue that was sized for more workers.
PLAYED: Final = ("half for a minute ×2", "calls that never answer ×1", "drift ×1.2")


class Guarded(Rival):
    """A rival with the protections that are the defaults."""

    def settings(self, scene: Scene, seed: int) -> Settings:
        return Settings.protected(seed=seed, **{**NAIVE, **scene.knobs, **self.knobs})


CONTENDERS: Final = (
    Guarded(ALONE, {}),
    *(Guarded(f"with {name}", {"limit_algorithm": name}) for name in LIMITS),
)
#: Those that the full form alone plays: what they add is between nothing and what others do.
FULL_ALONE: Final = ("with aimd", "with gradient")


def contenders(size: Size) -> list[Rival]:
    return [one for one in CONTENDERS if size == FULL or one.name not in FULL_ALONE]


def measure(size: Size, say: Say) -> Found:
    found: dict[str, dict[str, list[Scored]]] = {}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for scene in (each for each in scenes(size, HALF_AN_HOUR_S) if each.name in PLAYED):
            say(scene.name)
            asked = [(rival, seed) for rival in contenders(size) for seed in seeds_of(scene, size)]
            rows: dict[str, list[Scored]] = {rival.name: [] for rival in contenders(size)}
            results = pool.map(partial(play_one, scene), asked)
            for (rival, _), scored in zip(asked, results, strict=True):
                rows[rival.name].append(scored)
            found[scene.name] = rows
    return Found(report(found))


def report(found: Mapping[str, Mapping[str, list[Scored]]]) -> Report:
    """A table for each scene, and a sentence on the limit that adds most there."""
    return Report(
        title="What a limit still adds",
        what=__doc__ or "",
        logs="off (virtual time)",
        tables=[score_table(name, rows) for name, rows in found.items()],
        notes=[verdict(name, rows) for name, rows in found.items()],
    )


def verdict(scene: str, rows: Mapping[str, list[Scored]]) -> str:
    """By goodput, seed by seed: the most that a limit adds, or that none does."""
    alone = rows[ALONE]
    adds = {
        rival: median(its.goodput - was.goodput for its, was in zip(scores, alone, strict=True))
        for rival, scores in rows.items()
        if rival != ALONE
    }
    best, worst = max(adds, key=adds.__getitem__), min(adds, key=adds.__getitem__)
    most = (
        f"{best} adds {told(adds[best])} of goodput, the most"
        if adds[best] >= 0.01
        else "no limit adds 0.01 of goodput"
    )
    least = f"; {worst} costs {told(-adds[worst])}" if adds[worst] <= -0.01 else ""
    return f"{scene}: {most}{least}"
