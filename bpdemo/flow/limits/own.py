"""Our own: does one more in flight still add to what is served?"""

from math import ceil, exp, floor, log, sqrt
from random import Random

from bpdemo.flow.limits.bounds import bounded, require_bounds


class OurLimit:
    """Climbs while more in flight serves more, whatever the latencies are.

    By Little's law what is served is what is in flight ÷ the time it takes, so a queue adds nothing
    to it. The limit stands at L + `room` · √L, and for a stretch of `quota` calls in every five it
    dips to L. What is served per second there, against what was just before and is just after, is
    the elasticity e = Δ ln served ÷ Δ ln limit: 1 while workers idle, 0 where only a queue grows.

        ln L ← ln L + gain · u · clamp(e − worth, −1, 1)

    where u is the share of calls in the dip that found it full: what is not used teaches nothing.
    The gain grows by 1.2 where two steps in a row go the same way, else shrinks by 0.7, from 0.05
    to 1.2. A dropped call is not served, so where a queue makes callers late, e is below 0.
    **Defaults:** `start` 20, from `low` 1 to `high` 1000, `room` 2, `worth` 0.02, `quota` 30.
    **Source:** ours; Uber's Cinnamon asks the same by the sign of cov(in flight, throughput).

    **Known trouble:** a dip below what is needed refuses while workers idle. Where service times
    scatter, chance may carry L far too high: the larger it is, the less a dip tells.
    """

    __slots__ = (
        "_before_per_s", "_began_s", "_calls", "_dipped", "_full", "_gain", "_high", "_level",
        "_levels", "_low", "_quota", "_rng", "_room", "_served", "_wanted", "_way", "_worth",
        "current",
    )  # fmt: skip

    def __init__(
        self, start: float = 20, *, low: int = 1, high: int = 1000, room: float = 2.0,
        worth: float = 0.02, quota: int = 30, rng: Random | None = None,
    ) -> None:  # fmt: skip
        """`rng` spreads the dips of services that began together."""
        require_bounds(start, low, high)
        level = (sqrt(room**2 / 4 + bounded(start, low, high)) - room / 2) ** 2
        self._low, self._high, self._level = low, high, bounded(level, low, high)
        self._room, self._worth, self._quota, self._rng = room, worth, quota, rng or Random()
        self._gain, self._way, self._before_per_s = 1.2, 0.0, 0.0
        self._dipped: tuple[float, float] | None = None  # served per second, share that was full
        self._began_s: float | None = None  # the clock may begin anywhere
        self._levels = -1.0, bounded(ceil(start), low, high)  # in a dip, and out of it
        self._begin(4, self._levels[1])

    def learn(
        self, in_flight: int, latency_s: float, *, dropped: bool, now: float, was_full: bool
    ) -> None:
        if self._began_s is None:
            self._began_s = now
            return
        self._calls += 1
        self._full += was_full
        self._served += not dropped
        if self._calls < self._wanted or now <= self._began_s:
            return
        per_s, full = max(0.5, self._served) / (now - self._began_s), self._full / self._calls
        self._began_s = now
        if self.current == self._levels[0]:  # the dip is over
            self._dipped = per_s, full
            self._begin(4, self._levels[1])
        else:
            if self._dipped:
                self._step(sqrt(self._before_per_s * per_s), *self._dipped)
            self._before_per_s = per_s
            least = min(floor(self._level), max(self._low, self._high - 1))
            most = max(least + 1, ceil(self._level + self._room * sqrt(self._level)))
            self._levels = least, min(self._high, most)
            self._begin(1, least)

    def _step(self, per_s: float, dipped_per_s: float, full: float) -> None:
        low, high = self._levels
        if low >= high:  # the bounds leave no room to explore
            return
        way = log(per_s / dipped_per_s) / log(high / low) - self._worth
        same = way * self._way > 0
        self._gain, self._way = bounded(self._gain * (1.2 if same else 0.7), 0.05, 1.2), way
        factor = exp(self._gain * full * bounded(way, -1, 1))
        self._level = bounded(self._level * factor, self._low, self._high)

    def _begin(self, stretches: int, limit: float) -> None:
        self.current = limit
        self._wanted = stretches * self._quota * self._rng.uniform(0.8, 1.2)
        self._calls = self._served = self._full = 0
