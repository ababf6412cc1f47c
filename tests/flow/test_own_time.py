"""How long a service takes of its own: what callers who gave up are held against."""

from math import exp, sqrt
from random import Random

import pytest

from bpdemo.flow.own_time import OwnTime


def heard(own: OwnTime, *latencies_s: float) -> float:
    for latency_s in latencies_s:
        own.note(latency_s)
    return own.least_s


def test_nothing_is_known_before_the_first_answer() -> None:
    """So that nobody counts as hasty; from then on it is the mean and the deviation."""
    own = OwnTime()
    assert own.least_s == 0
    assert heard(own, 0.3) == pytest.approx(0.3)
    assert heard(own, 0.1) == pytest.approx(0.2 + 0.1)


def test_one_lucky_call_is_no_measure_of_all() -> None:
    """The mean of many is, wherever the lucky one stands among them."""
    assert heard(OwnTime(), 0.001, *[0.1] * 200) > 0.09
    assert heard(OwnTime(), *[0.1] * 200, 0.001) > 0.09


@pytest.mark.parametrize("sigma", [0.3, 1.0])
def test_times_that_scatter_have_about_their_mean_and_deviation(sigma: float) -> None:
    """Chance moves those of a hundred calls, and the least of them is kept."""
    draw = Random(3)
    own = OwnTime()
    for _ in range(20_000):
        own.note(0.1 * draw.lognormvariate(-sigma * sigma / 2, sigma))
    usual_s = 0.1 + 0.1 * sqrt(exp(sigma * sigma) - 1)
    assert usual_s / 2.2 < own.least_s < usual_s


def test_a_standing_queue_is_not_its_own() -> None:
    """However long it stands; a service that becomes faster is."""
    own = OwnTime()
    assert heard(own, *[0.1] * 100, *[2.0] * 5000) == pytest.approx(0.1)
    assert heard(own, *[0.05] * 1000) == pytest.approx(0.05, rel=0.01)
