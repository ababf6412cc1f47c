"""`check`, `hint` and `progress`: what a learner has to do with the exercises."""

from __future__ import annotations

import difflib
from html import escape
from typing import Any

from bpdemo.lab.exercises.catalogue import EXERCISES
from bpdemo.lab.exercises.judging_process import judge_answer
from bpdemo.lab.exercises.marks import all_marks, note_check, note_hint
from bpdemo.lab.exercises.table import Progress
from bpdemo.lab.exercises.verdict import Verdict
from bpdemo.picture.palette import FONT, SKY_BLUE


class Hint(str):
    """A hint, as text and as a box in the notebook."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return (
            f"<div style='border-left:8px solid {SKY_BLUE};padding:.2em 1em;"
            f"font:17px {FONT};line-height:1.5;max-width:60em'>{escape(self)}</div>"
        )


def check(name: str, answer: Any = None) -> Verdict:
    """Try your answer out, in a process of its own, and say what became of it.

    It is judged by what it does, never by how it is written; ten seconds at most.
    """
    require_exercise(name)
    verdict = judge_answer(name, answer, print)
    note_check(name, verdict.state)
    return verdict


def hint(name: str, again: bool = False) -> Hint:
    """The next hint; there are three. `again=True` begins with the first one again."""
    return next_hint(name, again, f"hint({name!r}, again=True)")


def next_hint(name: str, again: bool, call: str) -> Hint:
    """The same for wherever one begins again by `call`."""
    require_exercise(name)
    hints = EXERCISES[name].hints
    number = (0 if again else all_marks()[name].hint) + 1
    if number > len(hints):
        return Hint(
            f"These were all {len(hints)} hints for {name}. {call} begins again; "
            "the solution is in the folder solutions/."
        )
    note_hint(name, number)
    return Hint(f"Hint {number} of {len(hints)}: {hints[number - 1]}")


def progress() -> Progress:
    """All exercises: which you have passed, how often you tried, how many hints you took."""
    return Progress()


def require_exercise(name: str) -> None:
    """ValueError with the known names, the nearest first, if there is no such exercise."""
    if name in EXERCISES:
        return
    near = difflib.get_close_matches(name.lower(), EXERCISES, n=1, cutoff=0.5)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise ValueError(
        f"there is no exercise {name!r}.{meant} There are {', '.join(sorted(EXERCISES))}."
    )
