"""Our own: does more in flight still add to what is served?"""

from math import ceil, exp, log, sqrt
from random import Random

from bpdemo.core.ranges import require_count, require_number
from bpdemo.flow.limits.bounds import bounded, require_bounds


class OurLimit:
    """Goes where more in flight still serves more, whatever the latencies are.

    By Little's law what is served is what is in flight ÷ its time, so a queue adds nothing. For one
    stretch of calls in ten L dips to L ÷ r: what is served is held against just before and after.

        ln L ← ln L + gain · u · clamp(Δ ln served − (worth · √L + lost) · ln r, ± ln r)

    u is the share of calls at L that found it full: what is not used does not move L (a dip is full
    where it was slow by chance: by its share L would climb); `lost` is the share dropped at L. Δ is
    0 where only a queue grows, ln r while workers idle. Noise does not shrink as L grows, so the
    required gain and r scale with √L: r grows by 20% after a dip that cost no throughput and is
    halved after one that did, within [`room`, `deep` · √L]. A stretch is `quota` + L ÷ r calls,
    nine times that at L, once all who were inside before left.
    **Defaults:** `start` 20, from `low` 1 to `high` 1000, `room` 1.5, `deep` 0.4, `worth` 0.02,
    `quota` 25, `gain` 0.5. **Source:** ours; Uber's Cinnamon asks by cov(in flight, throughput).
    **Known trouble:** dips may reject while workers idle (5% was seen). Ten times too much may take
    minutes to leave. Several before one bottleneck rise: the others take what one leaves.
    """

    __slots__ = (
        "_before", "_began_s", "_bounds", "_calls", "_deep", "_dip", "_dipped", "_full", "_gain",
        "_level", "_quota", "_ratio", "_rng", "_room", "_served", "_wanted", "_worth", "current",
    )  # fmt: skip

    def __init__(
        self, start: float = 20, *, low: int = 1, high: int = 1000, room: float = 1.5,
        deep: float = 0.4, worth: float = 0.02, quota: int = 25, gain: float = 0.5,
        rng: Random | None = None,
    ) -> None:  # fmt: skip
        """`rng` spreads the dips of services that began together. Raises ValueError."""
        _check(start, low, high, room, deep, worth, quota, gain)
        self._bounds, self._level = (low, high), bounded(start, low, high)
        self._room, self._deep, self._ratio = room, deep, max(room, deep * sqrt(self._level))
        self._worth, self._quota, self._gain, self._rng = worth, quota, gain, rng or Random()
        self._before = self._dipped = 0.0  # served per second
        self._full = self._served = self._dip = self._began_s = 0.0
        self._begin(9, ceil(self._level), 1)

    def learn(
        self, in_flight: int, latency_s: float, *, dropped: bool, now: float, was_full: bool
    ) -> None:
        self._calls += 1
        if self._calls <= 0:  # those who were inside before
            self._began_s = now
            return
        self._full, self._served = self._full + was_full, self._served + (not dropped)
        if self._calls < self._wanted or now <= self._began_s:
            return
        per_s, calls = max(0.5, self._served) / (now - self._began_s), self._calls
        if self.current == self._dip:
            self._dipped = per_s
            self._begin(9, ceil(self._level), in_flight)
            return
        if self._dipped and self._dip < self.current:  # else there is no room to explore
            self._step(sqrt(self._before * per_s), 1 - self._served / calls, self._full / calls)
        low, high = self._bounds
        self._before, self._level = per_s, bounded(self._level, min(low + 1, high), high)
        dip = int((self._level - 1) / self._ratio + self._rng.random())  # between two: now and then
        self._dip = bounded(dip, low, max(low, ceil(self._level) - 1))
        self._begin(1, self._dip, in_flight)

    def rebound(self, low: int, high: int) -> None:
        """From now on within these, with all that was learnt; where they bind, it looks anew."""
        self._bounds, level = (low, high), bounded(self._level, low, high)
        if level != self._level or not low <= self.current <= high:
            self._level, self._dip, self._dipped = level, 0.0, 0.0
            self._begin(9, ceil(level), ceil(self.current))

    def _step(self, per_s: float, lost: float, full: float) -> None:
        ratio = log(self.current / self._dip)
        way = log(per_s / self._dipped) - (self._worth * sqrt(self._level) + lost) * ratio
        self._level *= exp(self._gain * full * bounded(way, -ratio, ratio))
        most = max(room := self._room, self._deep * sqrt(self._level))
        self._ratio = bounded(self._ratio * (1 + 0.2 * full if way < 0 else 0.5), room, most)

    def _begin(self, stretches: int, limit: float, inside: int) -> None:
        calls = self._quota + self._level / self._ratio
        self._wanted = stretches * calls * self._rng.uniform(0.8, 1.2)
        self._calls, self._served, self._full, self.current = -inside, 0, 0, limit


def _check(
    start: float, low: int, high: int,
    room: float, deep: float, worth: float, quota: int, gain: float,
) -> None:  # fmt: skip
    """ValueError where one is beyond its range."""
    require_bounds(start, low, high)
    require_number("room", room, 1)
    require_number("deep", deep)
    require_number("worth", worth)
    require_count("quota", quota, 1)
    require_number("gain", gain, 0, 1)
