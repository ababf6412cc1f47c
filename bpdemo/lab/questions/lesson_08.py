"""Questions of lesson 08: the tuning challenge."""

from bpdemo.lab.questions.question import Question

QUESTIONS: dict[str, Question] = {}
