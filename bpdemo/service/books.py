"""The books: what became of every caller of `POST /orders`. They balance at every moment.

    received = waiting + rejected + admitted
    admitted = success + failure + expired + abandoned + shed + queued + running

Each method moves one caller from one column to another, so no sum can drift. One that could not be
read, or left while waiting, is taken out as if they had never come.
"""

from dataclasses import dataclass

from bpdemo.core.events import Outcome


@dataclass(slots=True)
class Books:
    """Callers by where they stand now or how they ended."""

    received: int = 0
    waiting: int = 0
    rejected: int = 0
    admitted: int = 0
    success: int = 0
    failure: int = 0
    expired: int = 0
    abandoned: int = 0
    shed: int = 0
    queued: int = 0
    running: int = 0

    def arrive(self) -> None:
        self.received += 1
        self.waiting += 1

    def forget(self) -> None:
        self.waiting -= 1
        self.received -= 1

    def reject(self) -> None:
        self.waiting -= 1
        self.rejected += 1

    def admit(self) -> None:
        self.waiting -= 1
        self.admitted += 1
        self.queued += 1

    def start(self) -> None:
        self.queued -= 1
        self.running += 1

    def end_queued(self, outcome: Outcome) -> None:
        self.queued -= 1
        self._add(outcome)

    def end_running(self, outcome: Outcome) -> None:
        self.running -= 1
        self._add(outcome)

    def _add(self, outcome: Outcome) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)

    @property
    def balanced(self) -> bool:
        ended = self.success + self.failure + self.expired + self.abandoned + self.shed
        return (
            self.received == self.waiting + self.rejected + self.admitted
            and self.admitted == ended + self.queued + self.running
        )
