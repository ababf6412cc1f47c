"""The questions of the lessons. Each wrong choice is a misconception, with an answer of its own."""

from bpdemo.lab.predictions.questions import (
    lesson_00,
    lesson_01,
    lesson_02,
    lesson_03,
    lesson_04,
    lesson_05,
    lesson_06,
    lesson_07,
    lesson_08,
    lesson_09,
    lesson_10,
    lesson_11,
    lesson_12,
)
from bpdemo.lab.predictions.questions.question import Question

QUESTIONS: dict[str, Question] = {
    **lesson_00.QUESTIONS,
    **lesson_01.QUESTIONS,
    **lesson_02.QUESTIONS,
    **lesson_03.QUESTIONS,
    **lesson_04.QUESTIONS,
    **lesson_05.QUESTIONS,
    **lesson_06.QUESTIONS,
    **lesson_07.QUESTIONS,
    **lesson_08.QUESTIONS,
    **lesson_09.QUESTIONS,
    **lesson_10.QUESTIONS,
    **lesson_11.QUESTIONS,
    **lesson_12.QUESTIONS,
}
