"""Every usual wrong answer, by the name of its exercise."""

from tests.lab.exercises.wrong import (
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

LESSONS = (
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

WRONG = {name: answers for lesson in LESSONS for name, answers in lesson.WRONG.items()}
"""Source of the answer's cell → some words of what it is told."""
