"""A deadline: one moment that everything done for a caller obeys."""

from math import inf
from typing import NamedTuple, Self

#: Share of the caller's remaining time that wait and service may take: service times scatter.
FINISH_WITHIN = 0.8


class Deadline(NamedTuple):
    """The moment `at`, on the clock of anyone who made it. `NEVER` is one too."""

    at: float

    @classmethod
    def after(cls, timeout_s: float, now: float) -> Self:
        return cls(now + timeout_s)

    def remaining_s(self, now: float) -> float:
        """Time left; never below 0, infinite for `NEVER`."""
        left_s = self.at - now
        return left_s if left_s > 0.0 else 0.0

    def has_passed(self, now: float) -> bool:
        return now >= self.at


NEVER = Deadline(inf)


def can_finish(wait_s: float, service_s: float, remaining_s: float) -> bool:
    """Whether a job that waits `wait_s` can be finished in the `remaining_s` of its caller.

    Wait and mean service must fit into 0.8 of that time. A job that need not wait is begun
    whatever the mean, as long as any time is left.
    """
    if remaining_s <= 0:
        return False
    # After a slow moment the mean rejects everybody, and without jobs it never changes: an idle
    # worker is how a service learns that it is fast again.
    return wait_s == 0 or wait_s + service_s <= FINISH_WITHIN * remaining_s
