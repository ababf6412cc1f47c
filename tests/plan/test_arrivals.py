"""Arrivals follow the shape of their scenario, at random, and the same way for a seed."""

import itertools
import random
import statistics

import pytest

from bpdemo.plan.arrivals import SHAPES, arrivals

PEAK, SECONDS = 500.0, 60.0


def drawn(scenario: str, seed: int = 1) -> list[float]:
    return list(arrivals(scenario, PEAK, SECONDS, random.Random(seed)))


def expected_arrivals(scenario: str, peak_per_s: float, seconds: float) -> float:
    """Mean number of arrivals in `seconds`: the area under the shape."""
    shares = {"ramp": 1 / 2, "spike": 0.1 * 2 / 3 + 1 / 3, "sustained": 5 / 6 + 0.5 / 6}
    return peak_per_s * seconds * shares.get(scenario, 1.0)


@pytest.mark.parametrize("scenario", SHAPES)
def test_counts_match_the_area_under_the_shape(scenario: str) -> None:
    """Within four standard deviations of a Poisson count."""
    expected = expected_arrivals(scenario, PEAK, SECONDS)
    assert abs(len(drawn(scenario)) - expected) < 4 * expected**0.5


@pytest.mark.parametrize(
    ("scenario", "start", "end", "share"),
    [
        ("ramp", 0, 0.1, 0.05),
        ("ramp", 0.9, 1, 0.95),
        ("spike", 0, 1 / 3, 0.1),
        ("spike", 1 / 3, 2 / 3, 1.0),
        ("spike", 2 / 3, 1, 0.1),
        ("sustained", 0, 1 / 6, 0.5),
        ("sustained", 1 / 6, 1, 1.0),
        ("retry_storm", 0, 1, 1.0),
    ],
)
def test_each_part_of_a_scenario_has_its_rate(
    scenario: str, start: float, end: float, share: float
) -> None:
    """Thinning keeps the peak where the peak belongs."""
    inside = [t for t in drawn(scenario) if start <= t / SECONDS < end]
    expected = share * PEAK * (end - start) * SECONDS
    assert abs(len(inside) - expected) < 4 * expected**0.5


def test_gaps_are_exponential() -> None:
    """Inter-arrival times vary as Poisson's do (1), not in lock-step."""
    times = drawn("steady")
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert statistics.pstdev(gaps) / statistics.mean(gaps) == pytest.approx(1, abs=0.03)
    assert times == sorted(times)


def test_a_seed_fixes_the_arrivals() -> None:
    """The same seed draws the same times, another seed others."""
    assert drawn("spike", 7) == drawn("spike", 7)
    assert drawn("spike", 7) != drawn("spike", 8)
