"""What to say with a no: when to come back, so that the refused come neither at once nor together.

A whole second drawn evenly from 1 to max(3, ⌈backlog × mean service time ÷ workers⌉), at most 30,
where the backlog is the queue's depth and all that was refused during the last second: those are
the ones who will be back.

Seconds are whole, so callers who obey them to the millisecond come in as many bursts as the spread
has seconds: a share of the wait that each of them adds at random is theirs to add.
"""

from collections.abc import Callable
from math import ceil
from random import Random

from bpdemo.flow.rolling import RollingCounts

LEAST_SPREAD_S = 3
MOST_S = 30


class RetryAfter:
    """Draws the seconds; counts the refusals it is asked for."""

    __slots__ = ("_refusals", "_rng")

    def __init__(self, clock: Callable[[], float], rng: Random) -> None:
        self._refusals = RollingCounts(1.0, clock)
        self._rng = rng

    def for_refusal(self, depth: int, seconds_each: float, not_before_s: float = 0.0) -> int:
        """Whole seconds for one more refusal: 1 to 30, after `not_before_s`.

        `depth` jobs wait, and one leaves every `seconds_each` (mean service time ÷ workers).
        `not_before_s` is what must pass first, such as the time until a breaker half-opens.
        """
        self._refusals.count()
        backlog_s = ceil((depth + self._refusals.total) * seconds_each)
        spread_s = max(LEAST_SPREAD_S, min(backlog_s, MOST_S))
        drawn_s = 1 + int(self._rng.random() * spread_s)
        return ceil(not_before_s) + drawn_s
