"""A retry budget: retries may be a share of the calls, so that they cannot multiply an outage.

At each retry, of the last nine to ten seconds (the oldest of ten slots leaves whole),

    retries ≤ `min_per_s` × 10 + `ratio` × calls

So in any nine seconds there are at most that many, and in the long run a ninth of it each second,
however many of the calls fail. They may come all at once: with the defaults (0.2 and 10 a second) a
service of 1,000 calls a second may make 2,100 retries in one moment, and then none for nine
seconds; on average at most 233 a second. Three attempts each with no budget would make 2,000.

After Finagle's RetryBudget and Google's *Site Reliability Engineering*, chapter 21.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from bpdemo.core.ranges import require_flag, require_number
from bpdemo.flow.rolling import RollingCounts

WINDOW_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPolicy:
    """`ratio` of the calls may be retried, and `min_per_s` whatever the calls are."""

    enabled: bool
    ratio: float
    min_per_s: float

    def __post_init__(self) -> None:
        require_flag("enabled", self.enabled)
        require_number("ratio", self.ratio, 0, 1)
        require_number("min_per_s", self.min_per_s)


class RetryBudget:
    """Counts calls and the retries among them; pure, as fast as two additions."""

    __slots__ = ("_calls", "_floor", "_per_call", "_policy", "_unit")

    def __init__(self, policy: BudgetPolicy, clock: Callable[[], float]) -> None:
        self._calls = RollingCounts(WINDOW_S, clock)
        self.policy = policy

    @property
    def policy(self) -> BudgetPolicy:
        """Assign another to use that from now on; what was counted stays."""
        return self._policy

    @policy.setter
    def policy(self, policy: BudgetPolicy) -> None:
        self._policy = policy
        # In whole parts of a retry: 0.29 × 100 calls are 29 retries, and as floats they are 28.
        ratio, floor = _as_written(policy.ratio), _as_written(policy.min_per_s) * WINDOW_S
        self._unit = lcm(ratio.denominator, floor.denominator)
        self._per_call, self._floor = int(ratio * self._unit), int(floor * self._unit)

    def deposit(self) -> None:
        """A first attempt is being made."""
        self._calls.count()

    def try_spend(self) -> bool:
        """Whether one more retry may be made; counts it if so."""
        if self._policy.enabled and self._parts_left() < self._unit:
            return False
        self._calls.mark()
        return True

    def give_back(self, spent_at_s: float) -> None:
        """The retry that was counted then has not been made: it costs nothing."""
        self._calls.unmark(spent_at_s)

    @property
    def balance(self) -> float:
        """Retries that may be made right now."""
        return self._parts_left() / self._unit

    def _parts_left(self) -> int:
        calls = self._calls
        calls.expire()
        return self._floor + self._per_call * calls.total - self._unit * calls.marked


def _as_written(number: float) -> Fraction:
    """The decimal that was written down, and not the nearest one that a computer has, in whatever
    precision it was kept."""
    return Fraction(str(number))
