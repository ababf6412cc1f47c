"""How long the search for a capacity takes, before anything is known of the service. Pure."""

from __future__ import annotations

from typing import Final

from bpdemo.load.capacity_search import SCOUT_S, step_s

#: What a load takes besides its own seconds: its processes start, and the service comes to rest.
START_S: Final = 1.2
SCOUTS: Final = 4
STEPS: Final = 6


def search_time_s(client_timeout_s: float) -> float:
    """Of a service that does some dozens a second at least. A slower one takes longer, since no
    step has fewer than 200 requests."""
    return SCOUTS * (SCOUT_S + START_S) + STEPS * (step_s(client_timeout_s) + START_S)


def told_time(low_s: float, high_s: float) -> str:
    """Such as `2 to 4 minutes`."""
    low, high = max(1, round(low_s / 60)), max(1, round(high_s / 60))
    if low == high:
        return "about a minute" if low == 1 else f"about {low} minutes"
    return f"{low} to {high} minutes"
