"""AIMD as it is published, step by step."""

import pytest

from bpdemo.flow.limits.aimd import AIMD


def after(limit: AIMD, in_flight: int, latency_s: float = 0.1, *, dropped: bool = False) -> float:
    limit.learn(in_flight, latency_s, dropped=dropped, now=0.0, was_full=False)
    return limit.current


def test_its_defaults_are_the_published_ones() -> None:
    """20, from 20 to 200, a timeout of 5 s, and 90% of it after a drop."""
    assert AIMD().current == 20
    assert after(AIMD(200), 200) == 200
    assert after(AIMD(20), 20, dropped=True) == 20
    assert after(AIMD(100), 100, 5.0) == 101
    assert after(AIMD(100), 100, 5.001) == 90


@pytest.mark.parametrize(("in_flight", "then"), [(49, 100), (50, 101), (100, 101)])
def test_it_grows_by_one_where_half_of_it_is_used(in_flight: int, then: int) -> None:
    """Growth without use would leave no bound for the day of the overload."""
    assert after(AIMD(100), in_flight) == then


@pytest.mark.parametrize(
    ("before", "then"), [(100, 90), (99, 89), (11, 9), (10, 9), (2, 1), (1, 1)]
)
def test_a_drop_takes_a_tenth_and_what_is_left_of_a_whole(before: int, then: int) -> None:
    """⌊0.9 L⌋: at least one less, however little was in flight."""
    assert after(AIMD(before, low=1), 1, dropped=True) == then


def test_a_timeout_longer_than_the_callers_never_decreases() -> None:
    """The known trouble: everybody has left by half a second, and it only grows."""
    limit = AIMD()
    for _ in range(1000):
        after(limit, int(limit.current), 0.6)
    assert limit.current == 200
