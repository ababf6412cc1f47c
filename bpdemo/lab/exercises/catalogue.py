"""The exercises, lesson by lesson. How to write one stands in the README of this folder."""

from bpdemo.lab.exercises.exercise import Exercise
from bpdemo.lab.exercises.judges import (
    lesson_01,
    lesson_02,
    lesson_03,
    lesson_04,
    lesson_05,
    lesson_06,
    lesson_07,
    lesson_08,
    lesson_09,
    lesson_11,
    lesson_12,
)

EXERCISES: dict[str, Exercise] = {
    **lesson_01.EXERCISES,
    **lesson_02.EXERCISES,
    **lesson_03.EXERCISES,
    **lesson_04.EXERCISES,
    **lesson_05.EXERCISES,
    **lesson_06.EXERCISES,
    **lesson_07.EXERCISES,
    **lesson_08.EXERCISES,
    **lesson_09.EXERCISES,
    **lesson_11.EXERCISES,
    **lesson_12.EXERCISES,
}


def exercise_asking(function: str, lesson: str) -> str | None:
    """The exercise of a lesson ("03") whose answer is a function of this name, if there is one."""
    return next(
        (
            name
            for name, exercise in EXERCISES.items()
            if name.startswith(lesson) and exercise.is_function and exercise.answer == function
        ),
        None,
    )
