"""Questions of lesson 03: load shedding."""

from bpdemo.lab.questions.question import Question

QUESTIONS: dict[str, Question] = {}
