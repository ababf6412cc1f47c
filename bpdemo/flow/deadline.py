"""A deadline: one moment that everything done for a caller obeys."""

from math import inf
from typing import NamedTuple, Self


class Deadline(NamedTuple):
    """The moment `at`, on the clock of whoever made it. `NEVER` is one too."""

    at: float

    @classmethod
    def after(cls, timeout_s: float, now: float) -> Self:
        return cls(now + timeout_s)

    def remaining_s(self, now: float) -> float:
        """Time left; never below 0, infinite for `NEVER`."""
        return max(0.0, self.at - now)

    def has_passed(self, now: float) -> bool:
        return now >= self.at


NEVER = Deadline(inf)
