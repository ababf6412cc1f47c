"""What is kept of a learner's way through the exercises: each check and each hint, as it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bpdemo.lab.exercises.catalogue import EXERCISES, exercise_asking
from bpdemo.lab.home import note, noted

KEPT: Final = "exercises"
#: What some letters asked for while a fact did not say it yet, where that is not what they ask for
#: today. 03a and 03c have swapped their letters since, and 05a asks for more.
FIRST_ASKED: Final = {"03a": "sheds", "03c": "try_enter", "05a": "may_probe"}


@dataclass(slots=True)
class ExerciseMark:
    """`state` is `passed` once it was, else that of the last check; `hint` is the last one seen."""

    state: str = "not tried"
    tries: int = 0
    hints: int = 0
    hint: int = 0


def note_check(name: str, state: str) -> None:
    note(KEPT, {"name": name, "asked": EXERCISES[name].answer, "checked": state})


def note_hint(name: str, number: int) -> None:
    note(KEPT, {"name": name, "asked": EXERCISES[name].answer, "hint": number})


def all_marks() -> dict[str, ExerciseMark]:
    """The mark of every exercise, in the order of the course."""
    marks = {name: ExerciseMark() for name in sorted(EXERCISES)}
    for fact in noted(KEPT):
        mark = marks.get(_name_today(fact))
        if mark is None:  # an exercise of another edition
            continue
        if isinstance(number := fact.get("hint"), int):
            mark.hint, mark.hints = number, max(mark.hints, number)
        elif fact.get("checked") in ("passed", "not yet"):
            mark.tries += 1
            mark.state = "passed" if mark.state == "passed" else str(fact["checked"])
    return marks


def _name_today(fact: Mapping[str, Any]) -> str:
    """The exercise of the same lesson that asks today for what was asked then; "" if none does."""
    name = str(fact.get("name"))
    asked = fact.get("asked", FIRST_ASKED.get(name))
    if name not in EXERCISES or asked in (None, EXERCISES[name].answer):
        return name
    return exercise_asking(str(asked), name[:2]) or ""
