"""AIMD: one more while it goes well, a tenth less when it does not."""

from random import Random

from bpdemo.core.ranges import require_number
from bpdemo.flow.limits.bounds import SHORTEST_S, bounded, require_bounds


class AIMD:
    """Additive increase, multiplicative decrease, by loss alone.

        dropped, or rtt > timeout_s:   L ← ⌊backoff · L⌋
        else if 2 · in flight ≥ L:     L ← L + 1

    **Defaults**, as published: `start` 20, from `low` 20 to `high` 200, `timeout_s` 5,
    `backoff` 0.9 (from 0.5 to below 1). **Source:** `AIMDLimit` of Netflix's concurrency-limits.
    It counts what was in flight when a call began, here it is when the call ends.

    **Known trouble:** it hears of overload only by a timeout. With one that is longer than the
    callers' own, everybody is late and it still grows; with one near the service time it saws
    between next to nothing and far too much. How much a queue costs is nothing it asks.
    """

    __slots__ = ("_backoff", "_high", "_low", "_timeout_s", "current")

    def __init__(
        self,
        start: float = 20,
        *,
        low: int = 20,
        high: int = 200,
        timeout_s: float = 5.0,
        backoff: float = 0.9,
        rng: Random | None = None,
    ) -> None:
        """Nothing is left to chance: `rng` is not drawn from. Raises ValueError."""
        require_bounds(start, low, high)
        require_number("timeout_s", timeout_s, SHORTEST_S)
        require_number("backoff", backoff, 0.5, 0.999)
        self.current: float = bounded(int(start), low, high)
        self._low = low
        self._high = high
        self._timeout_s = timeout_s
        self._backoff = backoff

    def learn(
        self, in_flight: int, latency_s: float, *, dropped: bool, now: float, was_full: bool
    ) -> None:
        if dropped or latency_s > self._timeout_s:
            wanted: float = int(self._backoff * self.current)
        elif 2 * in_flight >= self.current:
            wanted = self.current + 1
        else:
            return  # what is not used need not grow
        self.current = bounded(wanted, self._low, self._high)

    def rebound(self, low: int, high: int) -> None:
        """From now on within these, with all that was learnt."""
        self._low, self._high = low, high
        self.current = bounded(self.current, low, high)
