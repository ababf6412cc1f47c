"""Which limit there is: from its name and its bounds to a new one."""

from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

from bpdemo.core.choices import LIMIT_ALGORITHMS, LimitAlgorithm
from bpdemo.core.ranges import require_choice
from bpdemo.flow.limiter import Limit
from bpdemo.flow.limits.aimd import AIMD
from bpdemo.flow.limits.bounds import bounded, require_bounds
from bpdemo.flow.limits.gradient import Gradient
from bpdemo.flow.limits.gradient2 import Gradient2
from bpdemo.flow.limits.own import OurLimit
from bpdemo.flow.limits.vegas import Vegas


class _Kind(Protocol):
    def __call__(self, start: float, *, low: int, high: int, rng: Random | None) -> Limit: ...


LIMITS: Final[dict[LimitAlgorithm, _Kind]] = {
    "aimd": AIMD,
    "vegas": Vegas,
    "gradient2": Gradient2,
    "gradient": Gradient,
    "own": OurLimit,
}
"""All that adapt; `fixed` does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChoice:
    """A limit by `algorithm` that starts at `start` and stays from `low` to `high`."""

    algorithm: LimitAlgorithm
    start: int
    low: int
    high: int

    def __post_init__(self) -> None:
        require_choice("algorithm", self.algorithm, LIMIT_ALGORITHMS)
        require_bounds(self.start, self.low, self.high)

    @property
    def adapts(self) -> bool:
        """Whether there is anything to make."""
        return self.algorithm != "fixed"

    def make(self, rng: Random | None, start: float | None = None) -> Limit:
        """A new limit that has learnt nothing; at `start`, if that is given."""
        start = bounded(self.start if start is None else start, self.low, self.high)
        return LIMITS[self.algorithm](start, low=self.low, high=self.high, rng=rng)

    def rebound(self, limit: Limit, rng: Random | None) -> Limit:
        """`limit`, within these bounds from now on and with all that it has learnt; where it cannot
        be told of bounds, a new one that starts where it stands."""
        rebound = getattr(limit, "rebound", None)
        if rebound is None:
            return self.make(rng, limit.current)
        rebound(self.low, self.high)
        return limit
