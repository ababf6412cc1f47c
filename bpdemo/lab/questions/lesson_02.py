"""Questions of lesson 02: a bounded queue and its workers."""

from bpdemo.lab.questions.question import Question

QUESTIONS: dict[str, Question] = {}
