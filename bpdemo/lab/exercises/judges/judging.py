"""What judges share: five seeds of virtual time, and the checks that most answers need.

Judges import it when called: it is slow to load.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn, TypeGuard

from bpdemo.core.nearest import nearest
from bpdemo.core.settings import Settings
from bpdemo.lab.exercises.exercise import NotYet
from bpdemo.lab.services.simulation import simulate
from bpdemo.load.run import LoadRun

SEEDS: Final = range(5)

#: A number in a text, as in "3s".
NUMBER: Final = re.compile(r"\s*(-?\d+(?:\.\d+)?)")


def over_seeds(settings: Settings | Mapping[str, Any], **load: Any) -> list[LoadRun]:
    """The same load with five seeds, simulated; the arguments are those of `simulate`."""
    return list(seed_by_seed(settings, **load))


def seed_by_seed(settings: Settings | Mapping[str, Any], **load: Any) -> Iterator[LoadRun]:
    """The same, each simulated when it is asked for: no learner waits for four days more once the
    first has shown what is wrong."""
    for seed in SEEDS:
        yield simulate(settings, seed=seed, **load)


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
        _malformed(f"the answer is a dict with {', '.join(ranges)}", f"it is {answer!r}")
    for name, (least, greatest) in ranges.items():
        value = answer.get(name)
        if not _is_number(value) or not least <= value <= greatest:
            expected = f"{name!r} is a number from {least:g} to {greatest:g}"
            if number := isinstance(value, str) and NUMBER.match(value):
                look = f"Give a number without quotes and without a unit, such as {number[1]}."
                _malformed(expected, f"it is {value!r}", "the check needs a number to try.", look)
            _malformed(expected, f"it is {value!r}" if name in answer else _without(name, answer))
    return [answer[name] for name in ranges]


def one_of(answer: Mapping[str, Any], name: str, choices: Sequence[str]) -> str:
    """The one of these texts that a dict of settings must hold under this name."""
    value = answer.get(name)
    if value not in choices:
        expected = f"{name!r} is one of {', '.join(map(repr, choices))}"
        _malformed(expected, f"it is {value!r}" if name in answer else _without(name, answer))
    return str(value)


def _without(name: str, answer: Mapping[str, Any]) -> str:
    near = nearest(name, map(str, answer))
    return f"there is no {name!r} in the dict" + (f", but there is {near!r}" if near else "")


def file_named(given: object, what: str, look: str) -> Path:
    """The file that an answer names; `what` and `look` say to whom it names none."""
    path = Path(given) if isinstance(given, str | os.PathLike) else None
    if path is None or not path.is_file():
        raise NotYet(
            expected=f"the answer names {what}.",
            seen=f"there is no file {str(path)!r}." if path else f"it is {given!r}.",
            why="the check runs that file, so it has to find it.",
            look=look,
        )
    return path.resolve()


def defended(
    answer: Mapping[str, Any], right: str, replies: Mapping[str, str], formerly: str = "abcd"
) -> None:
    """Compare the reason chosen (the letter under "because") with the right one; asked before the
    setting is judged, so that the letter is no guess made after the fact.

    `replies` says to each wrong letter what is wrong with it: the misconception and what is the
    case instead. Notebooks from before have it under "reason", where some reasons
    stood in another order: `formerly` gives today's letters of their a, b, c and d.
    """
    letters = sorted({right, *replies})
    chosen = answer.get("because", answer.get("reason"))
    letter = chosen.strip().lower() if isinstance(chosen, str) else chosen
    if letter not in letters:
        expected = f"one of the letters {', '.join(letters)} is under 'because'"
        _malformed(expected, "it is not there" if chosen is None else f"it is {chosen!r}")
    today = letter if "because" in answer else formerly["abcd".index(letter)]
    if today != right:
        raise NotYet(
            expected="the reason under 'because' is right; only then are the settings tried.",
            seen=f"reason {letter} is not the right one.",
            why=replies[today],
            look="Read the other three reasons again, next to the picture of the run in the "
            "lesson.",
        )


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _malformed(
    expected: str,
    seen: str,
    why: str = "the check cannot try out what is not there.",
    look: str = "Compare your answer with the form that the task gives.",
) -> NoReturn:
    raise NotYet(
        expected=f"{expected}.",
        seen=f"{seen}.",
        why=why,
        look=look,
    )
