"""When customers come: the shape of a scenario, and a seeded Poisson stream that follows it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Final

Shape = Callable[[float], float]
"""Maps progress through the run, 0 to 1, to a share of the peak rate, 0 to 1."""


def _steady(_: float) -> float:
    return 1.0


def _ramp(progress: float) -> float:
    return progress


def _spike(progress: float) -> float:
    return 1.0 if 1 / 3 <= progress < 2 / 3 else 0.1


def _sustained(progress: float) -> float:
    return 1.0 if progress >= 1 / 6 else 0.5


SHAPES: Final[dict[str, Shape]] = {
    "steady": _steady,
    "ramp": _ramp,
    "spike": _spike,
    "sustained": _sustained,
    "retry_storm": _steady,
}
"""The open-loop scenarios. `closed` has no arrivals of its own: its users come back."""


def arrivals(
    scenario: str, peak_per_s: float, seconds: float, rng: random.Random
) -> Iterator[float]:
    """Times of arrival in seconds from the start, in order.

    A non-homogeneous Poisson process by thinning (Lewis and Shedler 1979): draw
    at the peak rate, keep each arrival with probability shape(t).
    """
    shape = SHAPES[scenario]
    t_s = 0.0
    while peak_per_s > 0:
        t_s += rng.expovariate(peak_per_s)
        if t_s >= seconds:
            return
        if rng.random() < shape(t_s / seconds):
            yield t_s
