"""Questions of lesson 07: seeing it."""

from bpdemo.lab.questions.question import Question

QUESTIONS: dict[str, Question] = {}
