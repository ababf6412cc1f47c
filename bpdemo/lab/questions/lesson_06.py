"""Questions of lesson 06: the database and the cache."""

from bpdemo.lab.questions.question import Question

QUESTIONS: dict[str, Question] = {}
