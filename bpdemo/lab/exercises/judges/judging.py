"""What judges share: five seeds of virtual time, and the checks that most answers need.

Judges import it when called: it is slow to load.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn, TypeGuard

from bpdemo.core.settings import Settings
from bpdemo.lab.exercises.exercise import NotYet
from bpdemo.lab.services.simulation import simulate
from bpdemo.load.run import LoadRun

SEEDS: Final = range(5)


def over_seeds(settings: Settings | Mapping[str, Any], **load: Any) -> list[LoadRun]:
    """The same load with five seeds, simulated; the arguments are those of `simulate`."""
    return [simulate(settings, seed=seed, **load) for seed in SEEDS]


def worst(runs: list[LoadRun], figure: str = "goodput_share") -> float:
    """The least of a figure of the summary, over all runs."""
    return min(run.summary[figure] for run in runs)


def most(runs: list[LoadRun], figure: str) -> float:
    """The greatest of a figure of the summary, over all runs."""
    return max(run.summary[figure] for run in runs)


def worst_between(
    runs: list[LoadRun], from_s: float, to_s: float | None = None, figure: str = "goodput_share"
) -> float:
    """The least of a figure over all runs, of what was sent from `from_s` to `to_s` (the end)."""
    return min(
        float(run.between(from_s, run.meta.seconds if to_s is None else to_s)[figure])
        for run in runs
    )


def chosen(answer: Any, **ranges: tuple[float, float]) -> list[float]:
    """The numbers that a dict of settings must hold, each from its least to its greatest.

        (capacity,) = chosen(answer, queue_capacity=(-1, 10_000))

    Says what is missing, or no number, or out of range.
    """
    if not isinstance(answer, Mapping):
        _malformed(f"a dict with {', '.join(ranges)}", f"{answer!r}, which is no dict")
    for name, (least, greatest) in ranges.items():
        value = answer.get(name)
        if not _is_number(value) or not least <= value <= greatest:
            expected = f"{name!r}: a number from {least:g} to {greatest:g}"
            _malformed(expected, f"{name!r}: {value!r}" if name in answer else f"no {name!r}")
    return [answer[name] for name in ranges]


def defended(
    answer: Mapping[str, Any], right: str, replies: Mapping[str, str], formerly: str = "abcd"
) -> None:
    """Hold the reason chosen (the letter under "because") against the right one; asked before the
    setting is judged, so that the letter is no guess made after the fact.

    `replies` says to each wrong letter what is wrong with it: two sentences, the misconception
    and what is the case instead. Notebooks from before have it under "reason", where some reasons
    stood in another order: `formerly` gives today's letters of their a, b, c and d.
    """
    letters = sorted({right, *replies})
    chosen = answer.get("because", answer.get("reason"))
    letter = chosen.strip().lower() if isinstance(chosen, str) else chosen
    if letter not in letters:
        _malformed(f"one of the letters {', '.join(letters)} under 'because'", f"{chosen!r}")
    today = letter if "because" in answer else formerly["abcd".index(letter)]
    if today != right:
        raise NotYet(
            expected="the reason for which a setting is right, before the setting is tried",
            seen=f"reason {letter} does not carry any setting",
            why=replies[today],
            look="Read the four reasons again beside the picture of the run in the lesson.",
        )


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _malformed(expected: str, seen: str) -> NoReturn:
    raise NotYet(
        expected=f"{expected}.",
        seen=f"{seen}.",
        why="The check cannot try out what is not there.",
        look="Compare the form of your answer with the task's.",
    )
