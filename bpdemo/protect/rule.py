"""What applies to the paths under one prefix."""

from dataclasses import dataclass
from numbers import Real
from typing import Any, cast

from bpdemo.core.ranges import require_count, require_number, shown
from bpdemo.flow.limiter import FixedLimit, Limit, can_learn


@dataclass(frozen=True, slots=True)
class Rule:
    """`concurrency` requests inside at once; `queue_capacity` more wait for a slot, first come,
    first served, for at most `queue_timeout_s`.

    `concurrency` is a whole number from 1, or a limit of `bpdemo.flow` that adapts. A capacity of 0
    still uses every slot, and a timeout of 0 lets nobody wait. Raises ValueError that names the
    field, the value and the range.
    """

    concurrency: int | Limit
    queue_capacity: int = 8
    queue_timeout_s: float = 0.5

    def __post_init__(self) -> None:
        require_count("queue_capacity", self.queue_capacity)
        require_number("queue_timeout_s", self.queue_timeout_s)
        if self.adapts:
            _require_limit(self.concurrency)
        else:
            require_count("concurrency", self.concurrency, 1)

    @property
    def adapts(self) -> bool:
        """Whether `concurrency` is a limit that learns, and no number."""
        limit: Any = self.concurrency
        return not isinstance(limit, Real)

    @property
    def limit(self) -> Limit:
        """A new fixed limit, or the one that was given."""
        limit: Any = self.concurrency
        if self.adapts:
            return cast(Limit, limit)
        return FixedLimit(int(limit))


def _require_limit(limit: Any) -> None:
    current: Any = getattr(limit, "current", None)
    if not callable(getattr(limit, "learn", None)) or not isinstance(current, Real):
        raise ValueError(
            f"concurrency: {shown(limit)} is neither a whole number of at least 1 nor a limit of "
            "bpdemo.flow"
        )
    if not can_learn(limit):
        raise ValueError(
            f"concurrency: {shown(limit)} must have learn(in_flight, latency_s, *, dropped, now, "
            "was_full), of which it may leave out now or was_full"
        )
    require_number("concurrency", current, 1)
