"""One answer before its judge."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from bpdemo.lab.exercises.answered import Answered, NotTried, is_blank
from bpdemo.lab.exercises.exercise import Exercise
from bpdemo.lab.exercises.replies import Told, tell, tell_mistake, tell_passed


class Trial:
    """`lines` are those of the cell that the answer comes from, to quote from."""

    def __init__(self, exercise: Exercise, lines: Sequence[str]) -> None:
        self._exercise = exercise
        self._lines = lines
        self._answered: Answered | None = None

    def judge(self, answer: Any) -> Told:
        """State and sentences. An answer's own mistake comes before what the judge saw of it."""
        if answer is None or is_blank(answer):
            return self._mistake_of(NotTried())
        if misfit := self._misfit(answer):
            return tell("not yet", ("", misfit))
        if self._exercise.is_function:
            answer = self._answered = Answered(answer)
        try:
            seen = self._exercise.judge(answer)
        except BaseException as error:
            return self.mistake or self._mistake_of(error)
        return self.mistake or tell_passed(seen)

    @property
    def mistake(self) -> Told | None:
        """What the learner's function raised, told in words."""
        error = self._answered.error if self._answered else None
        return self._mistake_of(error) if error else None

    def _mistake_of(self, error: BaseException) -> Told:
        return tell_mistake(error, self._lines, f"`{self._exercise.answer}`")

    def _misfit(self, answer: Any) -> str:
        exercise = self._exercise
        if not exercise.is_function:
            return ""
        if not callable(answer):
            return (
                f"The answer is a function, {exercise.form}; this is {answer!r}. "
                "Give the function itself, without calling it."
            )
        if inspect.iscoroutinefunction(answer) and not exercise.may_be_async:
            return (
                f"The function is called as {exercise.form}, without `await`; yours is an "
                "`async def`. Make it a plain `def`."
            )
        try:
            inspect.signature(answer).bind(*(exercise.parameters or ()))
        except TypeError:
            return f"The function is called as {exercise.form}; yours takes other parameters."
        except ValueError:  # built in, and keeps its parameters to itself
            return ""
        return ""
