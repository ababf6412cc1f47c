"""Questions of lesson 04: timeouts, retries, jitter."""

from bpdemo.lab.questions.question import Question

QUESTIONS: dict[str, Question] = {}
