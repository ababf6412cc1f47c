"""What is kept of a learner's way through the exercises: each check and each hint, as it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bpdemo.lab.exercises.catalogue import EXERCISES
from bpdemo.lab.home import note, noted

KEPT: Final = "exercises"


@dataclass(slots=True)
class ExerciseMark:
    """`state` is `passed` once it was, else that of the last check; `hint` is the last one seen."""

    state: str = "not tried"
    tries: int = 0
    hints: int = 0
    hint: int = 0


def note_check(name: str, state: str) -> None:
    note(KEPT, {"name": name, "checked": state})


def note_hint(name: str, number: int) -> None:
    note(KEPT, {"name": name, "hint": number})


def all_marks() -> dict[str, ExerciseMark]:
    """The mark of every exercise, in the order of the course."""
    marks = {name: ExerciseMark() for name in sorted(EXERCISES)}
    for fact in noted(KEPT):
        mark = marks.get(str(fact.get("name")))
        if mark is None:  # an exercise of another edition
            continue
        if isinstance(number := fact.get("hint"), int):
            mark.hint, mark.hints = number, max(mark.hints, number)
        elif fact.get("checked") in ("passed", "not yet"):
            mark.tries += 1
            mark.state = "passed" if mark.state == "passed" else str(fact["checked"])
    return marks
