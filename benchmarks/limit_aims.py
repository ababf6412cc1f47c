"""What our limit is held to in each scene, and where it misses that, what was measured of it there.

*Behind* is told in pairs: ours and the best rival played the same orders on the same seeds, and
each ten seconds of a run are a pair, as far as both were played: where ours plays two hours and the
rival half an hour, that is the half hour. So even one long run has an interval, of ± 2 standard
errors.
It must not become an excuse: fewer than ten pairs make none, and it counts for no more than the aim
itself. Where a limit wanders off on one seed and not on the next, seeds are further apart than the
pairs of each tell; that, too, would only make the interval wider, and the aim easier to keep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median
from typing import Final

from benchmarks.arena import Scored
from benchmarks.measured import Aim
from benchmarks.results import cell, told
from bpdemo.core.counted import counted

#: Of one scene, the scores of each rival, seed by seed.
Rows = Mapping[str, Sequence[Scored]]

OURS: Final = "own"
#: What may be behind the best adaptive rival, besides the interval.
SPARED: Final = 0.02
FEWEST_PAIRS: Final = 10
#: Scenes of which the section `limits_reach` tells what could be reached at all.
HARD: Final = ("bimodal ×2", "calls that never answer ×1", "drift ×1.05", "drift ×1.2")


@dataclass(frozen=True)
class Figure:
    """One that has an aim: how it is read, and what it should be."""

    name: str
    text: str
    of: Callable[[Scored], float]
    aim: float
    is_more_better: bool = True

    def keeps(self, values: Sequence[float]) -> bool:
        middle = median(values)
        return middle >= self.aim if self.is_more_better else middle <= self.aim

    def best(self, rows: Rows) -> str:
        """Which of them does best by it, and of those that are level serves most. Who serves less
        than half of the aim for that is no example."""
        goodput = {rival: median(map(_goodput, scores)) for rival, scores in rows.items()}
        serving = [rival for rival in rows if goodput[rival] >= GOODPUT.aim / 2]
        sign = 1 if self.is_more_better else -1
        return max(
            serving or rows,
            key=lambda rival: (sign * median(map(self.of, rows[rival])), goodput[rival]),
        )


def _goodput(scored: Scored) -> float:
    return scored.goodput


def _worst(scored: Scored) -> float:
    return scored.worst


def _false(scored: Scored) -> float:
    return 100 * scored.false


GOODPUT: Final = Figure("goodput", "goodput of what was possible", _goodput, 0.95)
WORST: Final = Figure("worst 10 s", "worst ten seconds", _worst, 0.85)
FALSE: Final = Figure(
    "false rejections, %", "false rejections (a worker was idle), %", _false, 1.0,
    is_more_better=False,
)  # fmt: skip
FIGURES: Final = (GOODPUT, WORST, FALSE)


@dataclass(frozen=True)
class Behind:
    """How far ours is behind a rival, of what was possible, and half of the interval."""

    rival: str
    mean: float
    chance: float
    by_seed: list[float]

    @property
    def most(self) -> float:
        """What may be behind."""
        return SPARED + min(self.chance, SPARED)

    @property
    def is_spared(self) -> bool:
        return self.mean <= self.most


def behind_best(rows: Rows, rivals: Iterable[str]) -> Behind:
    """Behind the one of `rivals` that is furthest ahead on these very seeds."""
    return max((_behind(rows, rival) for rival in rivals), key=lambda behind: behind.mean)


def _behind(rows: Rows, rival: str) -> Behind:
    """ValueError if the two did not play the same orders."""
    pairs, by_seed = [], []
    for mine, theirs in zip(rows[OURS], rows[rival], strict=True):
        both = min(len(mine.stretches), len(theirs.stretches))
        of_seed = []
        for (ours, possible), (other, same) in zip(
            mine.stretches[:both], theirs.stretches[:both], strict=True
        ):
            if abs(possible - same) > 1e-6 * max(1.0, possible):
                raise ValueError(f"{rival} was offered {same:g} in ten seconds, ours {possible:g}")
            of_seed.append((other - ours, possible))
        by_seed.append(_share(of_seed))
        pairs += of_seed
    possible, mean = max(1.0, sum(can for _, can in pairs)), _share(pairs)
    chance = 0.0
    if (count := len(pairs)) >= FEWEST_PAIRS:
        squares = sum((more - mean * can) ** 2 for more, can in pairs)
        chance = 2 * sqrt(count / (count - 1) * squares) / possible
    return Behind(rival, mean, chance, by_seed)


def _share(pairs: Sequence[tuple[float, float]]) -> float:
    return sum(more for more, _ in pairs) / max(1.0, sum(can for _, can in pairs))


def aims_of(scene: str, rows: Rows, rivals: Iterable[str]) -> list[Aim]:
    """Four: three figures of ours, and what it is behind the best of the `rivals` that adapt."""
    aims = []
    for figure in FIGURES:
        bound = {"at_least" if figure.is_more_better else "at_most": figure.aim}
        values = [figure.of(each) for each in rows[OURS]]
        aims.append(Aim(text=f"{scene}: ours, {figure.text}", values=values, **bound))
    behind = behind_best(rows, rivals)
    text = f"{scene}: ours behind the best adaptive rival ({behind.rival}), paired: at most "
    text += f"{SPARED:g} and the interval, {_fine(behind.most)}"
    return [*aims, Aim(text=text, values=[behind.mean], at_most=behind.most,
                       at_most_for_sure=SPARED)]  # fmt: skip


def reasons(scene: str, rows: Rows, rivals: Iterable[str]) -> list[str]:
    """A sentence for each of those that is missed, by the median or on a seed."""
    told = [text for figure in FIGURES if (text := _reason(scene, figure, rows))]
    behind = behind_best(rows, rivals)
    return told if behind.is_spared else [*told, _lags(scene, behind, rows)]


def _reason(scene: str, figure: Figure, rows: Rows) -> str:
    """On how many seeds, and what the best of all that played has; nothing if it is kept on all."""
    values = [figure.of(each) for each in rows[OURS]]
    missed = sum(not figure.keeps([value]) for value in values)
    if not missed:
        return ""
    if figure.keeps(values):
        return (
            f"{scene}, {figure.name}: ours keeps {told(figure.aim)} by the median, and misses it "
            f"on {missed} of {counted(len(values), 'seed')}: {_fine(median(values))} "
            f"({_fine(min(values))} – {_fine(max(values))})"
        )
    text = (
        f"{scene}, {figure.name}: ours misses {told(figure.aim)} with {cell(values)}, on {missed} "
        f"of {counted(len(values), 'seed')}; {_lost(rows[OURS])}"
    )
    others = {rival: scores for rival, scores in rows.items() if not rival.startswith(OURS)}
    best = figure.best(others)
    had = [figure.of(each) for each in others[best]]
    if figure.keeps(had):
        text += f". Of all that played here {best} does best, and keeps it with {cell(had)}"
    else:
        text += f". None that played here keeps it: the best, {best}, has {cell(had)}"
    return text + _link(scene)


def _lags(scene: str, behind: Behind, rows: Rows) -> str:
    rival, seeds = behind.rival, behind.by_seed
    ahead = f"{sum(by > 0 for by in seeds)} of {counted(len(seeds), 'seed')}"
    ahead += f", by {_fine(max(seeds))} at most"
    each = "; ".join(
        f"{name} has {_lost(rows[name])}, worst ten seconds {told(median(map(_worst, rows[name])))}"
        for name in (OURS, rival)
    )
    return (
        f"{scene}, behind {rival}: by {_fine(behind.mean)} ± {_fine(behind.chance)}, on {ahead}. "
        f"{each[:1].upper()}{each[1:]}{_link(scene)}"
    )


def _lost(scores: Sequence[Scored]) -> str:
    """Where orders went that were not served in time, besides those rejected at a full house."""
    false, late = (median(100 * share(each) for each in scores) for share in (_idle, _late))
    return f"{told(false)}% of the offer rejected while a worker was idle, {told(late)}% late"


def _idle(scored: Scored) -> float:
    return scored.false


def _late(scored: Scored) -> float:
    return scored.late


def _fine(value: float) -> str:
    """To a thousandth: what is behind is small."""
    return f"{value:.3f}"


def _link(scene: str) -> str:
    if scene not in HARD:
        return ""
    return ". What any bound could reach there stands in [limits_reach](#limits_reach)"
