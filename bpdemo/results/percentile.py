"""Percentiles in plain Python, to the last bit those of numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which that share (0 to 1) of the `ordered` values lies; NaN of none.

    Between two values it lies on the line between them, as by numpy's default.
    """
    if not ordered:
        return math.nan
    at = share * (len(ordered) - 1)
    below = math.floor(at)
    low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    part = at - below
    # From the nearer end, so that the whole way leads to exactly the other.
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)
