"""Gradient2: the last second's mean against the mean of the last ten minutes."""

from random import Random

from bpdemo.core.ranges import require_count, require_number
from bpdemo.flow.limits.bounds import SHORTEST_S, bounded, require_bounds
from bpdemo.flow.limits.cut_short import mean


class Gradient2:
    """Shrinks by how much slower it is now than in the long run.

        g = clamp(tolerance · long / short, 0.5, 1)
        L ← (1 − smoothing) · L + smoothing · (g · L + queue)

    once in each window of `window_s` with ten samples or more, of which `short` is the mean.
    `long` is the mean of the first ten windows and then exponentially weighted over
    `long_windows`; × 0.95 after each window where it is more than twice `short`. Where less than
    half of L was in flight, L stays. **Defaults**, as published: `start` 20, `low` 20, `high` 200,
    `tolerance` 1.5, `smoothing` 0.2, `queue` 4, `long_windows` 600, `window_s` 1. **Source:**
    `Gradient2Limit` in a `WindowedLimit`, of Netflix's concurrency-limits.

    **Known trouble:** `long` follows the overload that it should judge: under a steady one the
    limit climbs to its maximum, over minutes (#134, #141). Where slow calls all end by a timeout,
    a stable rtt looks like no queue at all (#137). A timed-out call enters as a right-censored
    sample here; the original treats its time as exact.
    """

    __slots__ = (
        "_high", "_limit", "_long_s", "_long_windows", "_low", "_most", "_queue", "_rtts_s",
        "_smoothing", "_sum_s", "_tolerance", "_until_s", "_window_s", "_windows", "current",
    )  # fmt: skip

    def __init__(
        self, start: float = 20, *, low: int = 20, high: int = 200, tolerance: float = 1.5,
        smoothing: float = 0.2, queue: float = 4, long_windows: int = 600, window_s: float = 1.0,
        rng: Random | None = None,
    ) -> None:  # fmt: skip
        """Nothing is left to chance: `rng` is not drawn from. Raises ValueError."""
        require_bounds(start, low, high)
        require_number("tolerance", tolerance, 1)
        require_number("smoothing", smoothing, 0, 1)
        require_number("queue", queue)
        require_count("long_windows", long_windows, 1)
        require_number("window_s", window_s, SHORTEST_S)
        self._limit = bounded(start, low, high)
        self.current: float = int(self._limit)
        self._low, self._high = low, high
        self._tolerance, self._smoothing, self._queue = tolerance, smoothing, queue
        self._long_windows, self._window_s = long_windows, window_s
        self._long_s, self._sum_s, self._windows, self._until_s = 0.0, 0.0, 0, 0.0
        self._rtts_s, self._most = list[tuple[float, bool]](), 0

    def learn(
        self, in_flight: int, latency_s: float, *, dropped: bool, now: float, was_full: bool
    ) -> None:
        if latency_s < SHORTEST_S:
            return  # as the source: too short to have been a call
        self._rtts_s.append((latency_s, dropped))
        self._most = max(self._most, in_flight)
        if now <= self._until_s:
            return
        self._until_s = now + self._window_s
        short_s, calls, is_at_least = mean(self._rtts_s)
        if calls >= 10 and not (is_at_least and short_s < self._long_s):
            self._update(short_s)
        self._rtts_s, self._most = [], 0

    def rebound(self, low: int, high: int) -> None:
        """From now on within these, with all that was learnt."""
        self._low, self._high = low, high
        self._limit = bounded(self._limit, low, high)
        self.current = int(self._limit)

    def _update(self, short_s: float) -> None:
        self._windows, self._sum_s = self._windows + 1, self._sum_s + short_s
        followed_s = self._long_s + 2 / (self._long_windows + 1) * (short_s - self._long_s)
        self._long_s = self._sum_s / self._windows if self._windows <= 10 else followed_s
        long_s = self._long_s
        if long_s > 2 * short_s:
            self._long_s *= 0.95
        if self._most < self._limit / 2:
            return
        gradient = bounded(self._tolerance * long_s / short_s, 0.5, 1)
        limit = self._limit
        limit += self._smoothing * (gradient * limit + self._queue - limit)
        self._limit = bounded(limit, self._low, self._high)
        self.current = int(self._limit)
