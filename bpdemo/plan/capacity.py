"""Loads as multiples of capacity, the same for live runs, simulations and the command line."""

from __future__ import annotations

from bpdemo.plan.plan import RATES, require_range

USUAL_TIMES = 2.0


def rate_of(
    times: float | None, rate: float | None, capacity_per_s: float | None, scenario: str
) -> float:
    """What to offer: `rate`, or `times` (2 unless given) the capacity.

    ValueError if both are given, or if neither says how much.
    """
    if times is not None and rate is not None:
        raise ValueError("give times or rate, not both")
    if rate is not None:
        return require_range("rate", rate, *RATES)
    if scenario == "closed" or not capacity_per_s:
        if scenario == "closed":
            raise ValueError("rate must be given: a closed load counts users")
        raise ValueError(
            "rate must be given: capacity is unknown, and `times` is a multiple of it; "
            "capacity_of(target, request) measures it"
        )
    multiple = require_range("times", USUAL_TIMES if times is None else times, 0.01, 100)
    return multiple * capacity_per_s
