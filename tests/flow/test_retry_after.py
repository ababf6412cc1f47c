"""The refused are told to come back, spread over the time their backlog takes."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.flow.retry_after import RetryAfter
from tests.flow.helpers import Clock


def drawn(depth: int, seconds_each: float, *, not_before_s: float = 0.0) -> Counter[int]:
    """Six thousand answers, two seconds apart, so that each is the only refusal of its second."""
    clock = Clock()
    retry_after = RetryAfter(clock, Random(5))
    answers: Counter[int] = Counter()
    for _ in range(6000):
        clock.advance(2.0)
        answers[retry_after.for_refusal(depth, seconds_each, not_before_s)] += 1
    return answers


def assert_even(answers: Counter[int], low: int, high: int) -> None:
    assert sorted(answers) == list(range(low, high + 1))
    fair = 6000 / (high - low + 1)
    assert all(0.7 * fair < count < 1.3 * fair for count in answers.values())


@pytest.mark.parametrize(
    ("depth", "seconds_each", "most"),
    [
        (0, 0.0, 3),
        (32, 0.005, 3),  # a backlog of 0.165 s: three seconds are the least spread
        (9, 0.3, 3),  # (9 + this one) × 0.3, exactly
        (10, 0.3, 4),  # 3.3, rounded up
        (99, 0.1, 10),
        (10_000, 1.0, 30),  # at most half a minute, whatever the backlog
    ],
)
def test_whole_seconds_drawn_evenly_from_one_to_the_backlog(
    depth: int, seconds_each: float, most: int
) -> None:
    """1 to max(3, ⌈backlog × time each⌉), at most 30: every second as likely as the others."""
    assert_even(drawn(depth, seconds_each), 1, most)


def test_for_an_open_circuit_the_spread_comes_on_top_of_the_wait() -> None:
    """Not before it half-opens, and then not all at once either."""
    assert_even(drawn(0, 0.0, not_before_s=4.2), 6, 8)
    assert_even(drawn(0, 0.0, not_before_s=5.0), 6, 8)
    assert_even(drawn(99, 0.1, not_before_s=0.3), 2, 11)


def test_the_refusals_of_the_last_second_are_backlog_too() -> None:
    """They will be back. A second later they are forgotten."""
    clock = Clock()
    retry_after = RetryAfter(clock, Random(5))
    burst = [retry_after.for_refusal(0, 0.01) for _ in range(2000)]
    assert max(burst[:300]) == 3
    assert max(burst[-500:]) > 15
    clock.advance(1.0)
    assert max(retry_after.for_refusal(0, 0.01) for _ in range(100)) == 3


def test_those_refused_together_come_back_spread() -> None:
    """Two thousand refused in one moment are less than a tenth of that in any second."""
    retry_after = RetryAfter(Clock(), Random(5))
    for _ in range(3000):
        retry_after.for_refusal(0, 0.01)
    answers = Counter(retry_after.for_refusal(0, 0.01) for _ in range(2000))
    assert max(answers.values()) < 200


@given(
    depth=st.integers(0, 10**7),
    seconds_each=st.floats(0, 3600),
    not_before_s=st.floats(0, 3600),
    refusals=st.integers(1, 20),
)
def test_always_a_whole_second_from_one_to_thirty_past_the_wait(
    depth: int, seconds_each: float, not_before_s: float, refusals: int
) -> None:
    """Whatever the state of the service, the header is valid."""
    retry_after = RetryAfter(Clock(), Random(1))
    for _ in range(refusals):
        answer = retry_after.for_refusal(depth, seconds_each, not_before_s)
        assert isinstance(answer, int)
        assert not_before_s + 1 <= answer < not_before_s + 31
