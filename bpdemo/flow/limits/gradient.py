"""Envoy's gradient: now against a minimum that is measured anew every minute, nearly idle."""

from math import inf, sqrt
from random import Random

from bpdemo.core.ranges import require_count, require_number
from bpdemo.flow.limits.bounds import SHORTEST_S, bounded, require_bounds
from bpdemo.flow.limits.cut_short import percentile


class Gradient:
    """Shrinks and grows by how the median compares with the one at a limit of three.

        g = clamp(min_rtt · (1 + buffer) / sample_rtt, 0.5, 2)        L ← g · L + √(g · L)

    every `update_s` that had a sample. min_rtt is the median of `requests` calls that began while
    the limit was pinned to `pinned`, at the start and every `interval_s` plus up to `jitter` of it;
    at once after five updates in a row that leave it at the least. **Defaults**, as published: from
    `low` 3 to `high` 1000, `pinned` 3, `jitter` 0.15, `requests` 50, `buffer` 0.25, `percentile`
    0.5; `interval_s` 60 and `update_s` 0.1 are its documentation's example. **Source:**
    `gradient_controller.cc` of Envoy's `adaptive_concurrency`. Its timers ring; here what is due is
    done when the next call ends, percentiles are exact, and a dropped call is *at least* so long.

    **Known trouble:** each probe sheds healthy traffic (#8337, #9007); min_rtt climbs from one
    probe to the next (#11579); the probe and the floor were one knob (#46532), and a limit at the
    floor may stay there (#38338). Where nothing is answered, a probe does not end.
    """

    __slots__ = (
        "_at_least", "_buffer", "_epoch_s", "_high", "_interval_s", "_jitter", "_kept", "_low",
        "_min_rtt_s", "_percentile", "_pinned", "_probe_s", "_requests", "_rng", "_rtts_s",
        "_update_s", "_updated_s", "current",
    )  # fmt: skip

    def __init__(
        self, start: float = 3, *, low: int = 3, high: int = 1000, pinned: int = 3,
        interval_s: float = 60.0, jitter: float = 0.15, requests: int = 50, buffer: float = 0.25,
        percentile: float = 0.5, update_s: float = 0.1, rng: Random | None = None,
    ) -> None:  # fmt: skip
        """It begins with a probe, and goes on from `start`. Raises ValueError."""
        _check(start, low, high, pinned, interval_s, jitter, requests, buffer, percentile, update_s)
        self._pinned, self._interval_s, self._jitter = pinned, interval_s, jitter
        self._rng, self._requests, self._buffer = rng or Random(), requests, buffer
        self._update_s, self._percentile = update_s, percentile
        self._min_rtt_s, self._at_least, self._updated_s = 0.0, 0, -inf
        self._kept, self._rtts_s = bounded(int(start), low, high), list[tuple[float, bool]]()
        self._probe_s, self._epoch_s = inf, -inf  # inf: it is at it
        self.current: float = pinned
        self.rebound(low, high)

    def learn(
        self, in_flight: int, latency_s: float, *, dropped: bool, now: float, was_full: bool
    ) -> None:
        if now >= self._probe_s:
            self._kept, self.current = self.current, min(self._pinned, self._high)
            self._probe_s, self._epoch_s, self._rtts_s, self._at_least = inf, now, [], 0
        if now - latency_s < self._epoch_s:
            return  # it began before the limit was pinned
        self._rtts_s.append((latency_s, dropped))
        if self._probe_s == inf:
            self._end_probe(now)
        elif now >= self._updated_s + self._update_s:
            self._update(now)

    def rebound(self, low: int, high: int) -> None:
        """From now on within these, with all that was learnt; a probe goes on."""
        self._low, self._high = low, high
        self._kept = bounded(self._kept, low, high)
        probes = self._probe_s == inf
        self.current = min(self._pinned, high) if probes else bounded(self.current, low, high)

    def _end_probe(self, now: float) -> None:
        del self._rtts_s[: -20 * self._requests]  # should nothing be answered
        if sum(not is_cut for _, is_cut in self._rtts_s) >= self._requests:
            self._min_rtt_s, self.current = self._take_rtt_s()[0], self._kept
            self._probe_s = now + self._interval_s * (1 + self._jitter * self._rng.random())
            self._updated_s = now

    def _update(self, now: float) -> None:
        (rtt_s, is_at_least), self._updated_s = self._take_rtt_s(), now
        gradient = bounded(self._min_rtt_s * (1 + self._buffer) / rtt_s, 0.5, 2) if rtt_s else 2
        limit, most = gradient * self.current, self.current if is_at_least else self._high
        before, self.current = self.current, bounded(int(limit + sqrt(limit)), self._low, most)
        self._at_least = self._at_least + 1 if before == self.current == self._low else 0
        if self._at_least >= 5:
            self._probe_s = now

    def _take_rtt_s(self) -> tuple[float, bool]:
        rtts_s, self._rtts_s = self._rtts_s, []
        return percentile(rtts_s, self._percentile)


def _check(
    start: float, low: int, high: int, pinned: int, interval_s: float, jitter: float,
    requests: int, buffer: float, percentile: float, update_s: float,
) -> None:  # fmt: skip
    """ValueError where one is beyond its range."""
    require_bounds(start, low, high)
    require_count("pinned", pinned, 1)
    require_number("interval_s", interval_s, SHORTEST_S)
    require_number("jitter", jitter, 0, 1)
    require_count("requests", requests, 1)
    require_number("buffer", buffer)
    require_number("percentile", percentile, 0, 1)
    require_number("update_s", update_s)
