"""Vegas: how many of those inside only wait, judged by the best time since its last probe."""

from math import ceil, log10
from random import Random

from bpdemo.core.ranges import require_number
from bpdemo.flow.limits.bounds import bounded, require_bounds


class Vegas:
    """Keeps an estimated queue between two bounds, as TCP Vegas does.

        q = ⌈L · (1 − rtt_noload / rtt)⌉        l = max(1, ⌊log10 L⌋)
        dropped: L − l        else, if 2 · in flight ≥ L:
        q ≤ l: L + 6 l        q < 3 l: L + l        q > 6 l: L − l

    rtt_noload is the least rtt seen; after `probe` · L samples, times a draw from 0.5 to 1, the
    next sample takes its place. A dropped call is none. **Defaults**, as published: `start` 20,
    from `low` 1 to `high` 1000, `probe` 30. **Source:** `VegasLimit` of Netflix's
    concurrency-limits; there what was in flight when a call began counts, and drops are samples.

    **Known trouble:** one lucky sample makes everything after it look queued, and the limit
    collapses (#37); rtt_noload taken under load lets the queue of that moment pass for none (#165);
    where calls differ by nature, the difference counts as a queue, and so does each caller who gave
    up on a slow one.
    """

    __slots__ = (
        "_high", "_jitter", "_low", "_noload_s", "_probe", "_rng", "_since_probe", "current",
    )  # fmt: skip

    def __init__(
        self,
        start: float = 20,
        *,
        low: int = 1,
        high: int = 1000,
        probe: float = 30,
        rng: Random | None = None,
    ) -> None:
        """`rng` spreads the probes, so that services which began together do not probe together.
        Raises ValueError."""
        require_bounds(start, low, high)
        require_number("probe", probe, 1)
        self.current: float = bounded(int(start), low, high)
        self._low, self._high, self._probe = low, high, probe
        self._rng = rng or Random()
        self._jitter = self._rng.uniform(0.5, 1)
        self._since_probe = 0
        self._noload_s = 0.0  # not known yet

    def learn(
        self, in_flight: int, latency_s: float, *, dropped: bool, now: float, was_full: bool
    ) -> None:
        if dropped:
            self._move(latency_s, dropped=True)  # at least so long: no sample of rtt_noload
        elif latency_s > 0 and not self._is_noload(latency_s) and 2 * in_flight >= self.current:
            self._move(latency_s, dropped=False)

    def rebound(self, low: int, high: int) -> None:
        """From now on within these, with all that was learnt."""
        self._low, self._high = low, high
        self.current = bounded(self.current, low, high)

    def _is_noload(self, latency_s: float) -> bool:
        """Whether this is the least rtt now; a probe takes what comes."""
        self._since_probe += 1
        if self._jitter * self._probe * self.current <= self._since_probe:
            self._jitter = self._rng.uniform(0.5, 1)
            self._since_probe = 0
        elif self._noload_s and latency_s >= self._noload_s:
            return False
        self._noload_s = latency_s
        return True

    def _move(self, latency_s: float, *, dropped: bool) -> None:
        wanted = self.current + self._step(latency_s, dropped)
        self.current = bounded(wanted, self._low, self._high)

    def _step(self, latency_s: float, dropped: bool) -> int:
        unit = max(1, int(log10(self.current)))
        if dropped:
            return -unit
        queue = ceil(self.current * (1 - self._noload_s / latency_s))
        if queue > 6 * unit:
            return -unit
        if queue <= unit:
            return 6 * unit
        return unit if queue < 3 * unit else 0
