"""What an exercise is made of, and what a judge raises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class NotYet(Exception):
    """The answer does not do it yet: what was expected, what was seen, why it matters, and where
    to look. Whole sentences, said to the learner as they stand."""

    def __init__(self, *, expected: str, seen: str, why: str, look: str) -> None:
        super().__init__(seen)
        self.expected = expected
        self.seen = seen
        self.why = why
        self.look = look


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise; its text stands in solutions/.

    `answer` is the name the answer has in the notebook: of a function with these `parameters`,
    or, where there are none, of a value. `judge(answer)` returns what was seen, as a sentence, or
    raises `NotYet`. `hints`: where to look, the principle, the same problem with other numbers.
    It takes one person about so many `minutes`. The `limit_s` is the answer's processor time:
    modules that judging `needs` are imported before it begins. Where a function `may_be_async`, the
    judge itself looks at what it returns.
    """

    title: str
    answer: str
    judge: Callable[[Any], str]
    hints: tuple[str, str, str]
    parameters: tuple[str, ...] | None = None
    minutes: int = 8
    limit_s: float = 10.0
    needs: tuple[str, ...] = ()
    may_be_async: bool = False

    @property
    def is_function(self) -> bool:
        return self.parameters is not None

    @property
    def form(self) -> str:
        """The answer as one would write it: `try_put(waiting, job, capacity)`, or `settings`."""
        if self.parameters is None:
            return self.answer
        return f"{self.answer}({', '.join(self.parameters)})"
