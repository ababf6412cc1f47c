"""`check`, `hint` and `progress`: what a learner has to do with the exercises."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from bpdemo.core.nearest import nearest
from bpdemo.lab.exercises.answer_file import file_of
from bpdemo.lab.exercises.catalogue import EXERCISES, exercise_asking
from bpdemo.lab.exercises.comparison import source_of, with_production
from bpdemo.lab.exercises.failed_cell import told_of_failed_cell
from bpdemo.lab.exercises.judging_process import judge_answer
from bpdemo.lab.exercises.marks import all_marks, note_check, note_hint
from bpdemo.lab.exercises.table import Progress
from bpdemo.lab.exercises.verdict import Verdict
from bpdemo.lab.markup import as_html, as_text
from bpdemo.load.progress_line import ProgressText
from bpdemo.picture.palette import FONT, SKY_BLUE

NOT_GIVEN: Final = object()


class Hint(str):
    """A hint, as text and as a box in the notebook."""

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return (
            f"<div style='border-left:8px solid {SKY_BLUE};padding:.2em 1em;"
            f"font:17px {FONT};line-height:1.5;max-width:60em'>{as_html(self)}</div>"
        )


def check(name: str, answer: Any = NOT_GIVEN) -> Verdict:
    """Try your answer out, in a process of its own, and say what was measured.

    It is judged by what it does, never by how it is written.
    """
    require_exercise(name)
    if answer is NOT_GIVEN:
        wanted = EXERCISES[name].answer
        raise ValueError(f"check takes your answer as well: check({name!r}, {wanted})")
    verdict = replace(_judged(name, answer), file=file_of(answer))
    if other := _asking(name, answer):
        print(f"{answer.__name__} is the answer of {other}: check({other!r}, {answer.__name__})")
    note_check(name, verdict.state)
    return with_production(verdict, lambda: source_of(EXERCISES[name].answer, answer))


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
            f"Those were all {len(hints)} hints for {name}. `{call}` begins again with the first; "
            "the solution is in the folder `solutions/`."
        )
    note_hint(name, number)
    return Hint(f"Hint {number} of {len(hints)}: {hints[number - 1]}")


def progress() -> Progress:
    """All exercises: which you have passed, how often you tried, how many hints you took."""
    return Progress()


def require_exercise(name: str) -> None:
    """ValueError with the known names, the nearest first, if there is no such exercise."""
    if not isinstance(name, str):
        raise ValueError(
            f"the name of the exercise comes first, in quotes, such as '01a'; this is {_told(name)}"
        )
    if name in EXERCISES:
        return
    near = nearest(name, EXERCISES)
    meant = f" Did you mean {near}?" if near else ""
    raise ValueError(
        f"there is no exercise {name!r}.{meant} There are {', '.join(sorted(EXERCISES))}."
    )


def _judged(name: str, answer: Any) -> Verdict:
    exercise = EXERCISES[name]
    if told := told_of_failed_cell(exercise.answer, answer):
        return Verdict.of(name, exercise.title, told)
    with ProgressText() as progress:
        return judge_answer(name, answer, progress.show)


def _asking(name: str, answer: Any) -> str | None:
    """The other exercise of the lesson that asks for this function. In a notebook from before some
    swapped their letters, it is judged under a letter that asks for another."""
    called = getattr(answer, "__name__", "")
    asked = exercise_asking(called, name[:2])
    return asked if called != EXERCISES[name].answer else None


def _told(given: object) -> str:
    """What stands there instead of a name, as its reader would call it."""
    called = getattr(given, "__name__", None)
    return f"the {type(given).__name__} {called}" if called else repr(given)
