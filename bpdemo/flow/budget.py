"""A retry budget: retries may be a share of the calls, so that they cannot multiply an outage.

Over the last ten seconds, retries ≤ `min_per_s` × 10 + `ratio` × calls. With the defaults (0.2 and
10 a second) a service of 1,000 calls a second makes at most 210 retries a second, however many of
its calls fail; three attempts each with no budget would make 2,000.

After Finagle's RetryBudget and Google's *Site Reliability Engineering*, chapter 21.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bpdemo.flow.rolling import RollingCounts

WINDOW_S = 10.0


@dataclass(frozen=True, slots=True)
class BudgetPolicy:
    """`ratio` of the calls may be retried, and `min_per_s` whatever the calls are."""

    enabled: bool = True
    ratio: float = 0.2
    min_per_s: float = 10.0

    def __post_init__(self) -> None:
        if not 0 <= self.ratio <= 1:
            raise ValueError(f"ratio: {self.ratio} is not from 0 to 1")
        if self.min_per_s < 0:
            raise ValueError(f"min_per_s: {self.min_per_s} is negative")


class RetryBudget:
    """Counts calls and the retries among them; pure, as fast as two additions."""

    __slots__ = ("_calls", "policy")

    def __init__(self, policy: BudgetPolicy, clock: Callable[[], float]) -> None:
        self.policy = policy
        self._calls = RollingCounts(WINDOW_S, clock)

    def deposit(self) -> None:
        """A first attempt is being made."""
        self._calls.count()

    def try_spend(self) -> bool:
        """Whether one more retry may be made; counts it if so."""
        if self.policy.enabled and self.balance < 1:
            return False
        self._calls.mark()
        return True

    @property
    def balance(self) -> float:
        """Retries that may be made right now."""
        calls, policy = self._calls, self.policy
        calls.expire()
        return policy.min_per_s * WINDOW_S + policy.ratio * calls.total - calls.marked
