"""Several of our limits before one bottleneck: what the docs say of it, in a model of one queue.

Each limit stands before an instance that always has customers; all of them share sixteen workers.
"""

import heapq
from collections import deque
from collections.abc import Callable
from random import Random
from statistics import fmean

import pytest

from bpdemo.flow.limits.own import OurLimit

WORKERS, SERVICE_S, CLIENT_TIMEOUT_S = 16, 0.042, 0.5
UNTIL_S, SETTLED_S = 600.0, 120.0


def play(limits: list[Callable[[], int]], learning: dict[int, OurLimit]) -> tuple[float, list[int]]:
    """The mean of what a limit in `learning` allowed, call by call, and how many each instance
    served. Those in `learning` hear of their own calls."""
    chance, now, free = Random(1), 0.0, WORKERS
    inside, served = [0] * len(limits), [0] * len(limits)
    waiting: deque[tuple[int, float]] = deque()
    busy: list[tuple[float, int, float]] = []
    allowed: list[float] = []
    while now < UNTIL_S:
        for one in chance.sample(range(len(limits)), len(limits)):
            while inside[one] < limits[one]():
                inside[one] += 1
                waiting.append((one, now))
        while free and waiting:
            one, came_s = waiting.popleft()
            heapq.heappush(busy, (now + chance.expovariate(1 / SERVICE_S), one, came_s))
            free -= 1
        now, one, came_s = heapq.heappop(busy)
        if limit := learning.get(one):
            was_full, is_late = inside[one] >= limit.current, now - came_s > CLIENT_TIMEOUT_S
            limit.learn(inside[one], now - came_s, dropped=is_late, now=now, was_full=was_full)
            if now > SETTLED_S:
                allowed.append(limit.current)
        free, inside[one], served[one] = free + 1, inside[one] - 1, served[one] + 1
    return fmean(allowed), served


def limits_of(count: int, fixed: int = 0) -> tuple[float, list[int]]:
    """The mean of what a limit allowed, and what each instance served; the first are fixed at 8."""
    learning = {
        place: OurLimit(2 * WORKERS // count, rng=Random(place)) for place in range(fixed, count)
    }

    def allowed(place: int) -> Callable[[], int]:
        return lambda: int(learning[place].current) if place in learning else 8

    return play([allowed(place) for place in range(count)], learning)


def test_alone_it_finds_about_two_for_each_worker() -> None:
    """All sixteen are its own, so a dip that takes queue alone costs it nothing."""
    mean, _ = limits_of(1)
    assert WORKERS < mean < 3 * WORKERS


@pytest.mark.slow
def test_several_before_one_bottleneck_all_rise() -> None:
    """In each one's dip the others take its place: what is inside in all is far more than alone."""
    mean, _ = limits_of(4)
    assert 4 * mean > 6 * WORKERS


@pytest.mark.slow
def test_one_on_trial_takes_the_share_of_those_that_are_fixed() -> None:
    """Which looks like a success."""
    mean, served = limits_of(4, fixed=3)
    assert mean > 40
    assert served[3] > 0.6 * sum(served)
