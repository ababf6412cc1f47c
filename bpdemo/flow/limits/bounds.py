"""From the least to the most that a limit can be."""

from typing import Final

from bpdemo.core.ranges import require_count, require_number

SHORTEST_S: Final = 1e-4
"""No call is shorter, so no timeout, window or interval need be."""


def require_bounds(start: float, low: int, high: int) -> None:
    """ValueError unless 1 ≤ `low` ≤ `high` and `start` is a number from 1."""
    require_number("start", start, 1)
    require_count("low", low, 1)
    require_count("high", high, low)


def bounded(limit: float, low: float, high: float) -> float:
    """`limit`, or the bound it is beyond."""
    return max(low, min(high, limit))
