"""A limit whose rule is a plain function, such as one that a learner writes, before the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf, isnan
from random import Random
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from bpdemo.core.kinds import fits
from bpdemo.core.settings import Settings
from bpdemo.core.slips import forgiving
from bpdemo.flow.limiter import Limit
from bpdemo.flow.limits.bounds import bounded
from bpdemo.flow.limits.choice import LIMITS
from bpdemo.lab.services.simulation import simulate
from bpdemo.load.run import LoadRun

LimitRule = Callable[[float, int, float, bool], float]
"""`rule(limit, in_flight, latency_s, dropped)` gives the limit that holds from now on."""


class RuleLimit:
    """Asks `rule` whenever a call ends, and stays from `low` to `high`.

    With `cut_once` a cut holds for a whole flight: of the calls that began before the last one,
    which tell of the same overload once more, none cuts the limit again.
    """

    def __init__(
        self,
        rule: LimitRule,
        start: float,
        *,
        low: int = 1,
        high: int = 1000,
        cut_once: bool = False,
    ) -> None:
        self.current: float = bounded(start, low, high)
        self._rule = rule
        self._low, self._high = low, high
        self._cut_once = cut_once
        self._cut_s = -inf

    def learn(
        self, in_flight: int, latency_s: float, *, dropped: bool, now: float, was_full: bool
    ) -> None:
        wanted: Any = self._rule(self.current, in_flight, latency_s, dropped)
        if not fits(wanted, float) or isnan(wanted):
            raise TypeError(
                f"rule must return the limit from now on, a number, not {wanted!r}. It was asked "
                f"with limit={self.current:g}, in_flight={in_flight}, latency_s={latency_s:.3g}, "
                f"dropped={dropped}"
            )
        if wanted < self.current:
            if self._cut_once and now - latency_s < self._cut_s:
                return
            self._cut_s = now
        self.current = bounded(wanted, self._low, self._high)

    def rebound(self, low: int, high: int) -> None:
        """From now on within these, with all that was learnt."""
        self._low, self._high = low, high
        self.current = bounded(self.current, low, high)


@forgiving
def simulate_rule(
    rule: LimitRule,
    *,
    cut_once: bool = False,
    knobs: Mapping[str, Any] = MappingProxyType({}),
    **load: Any,
) -> LoadRun:
    """What `simulate` gives of the naive service, whose limit on orders in flight is set by `rule`.

    It starts at two orders a worker. `knobs` are further settings of the service, and `load` are
    the arguments of `simulate`. Raises TypeError for a rule that returns no number, and what the
    rule raises.
    """

    def make(start: float, *, low: int, high: int, rng: Random | None) -> Limit:
        del rng  # a rule of plain numbers draws nothing
        return RuleLimit(rule, start, low=low, high=high, cut_once=cut_once)

    settings = Settings.unprotected(**{"workers": 8, **knobs, "limit_algorithm": "aimd"})
    with patch.dict(LIMITS, {"aimd": make}):
        return simulate(settings, **load)
