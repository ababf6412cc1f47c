"""Questions of lesson 05: the circuit breaker."""

from bpdemo.lab.questions.question import Question

QUESTIONS: dict[str, Question] = {}
