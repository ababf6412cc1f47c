"""Waits grow up to a cap, and are spread as the formula says."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.core.choices import JITTERS, Jitter
from bpdemo.flow.backoff import BackoffPolicy, backoff_s
from tests.support.policies import usual

MANY = 2000


def waits_s(jitter: Jitter, failed: int, last_s: float = 0.0) -> list[float]:
    policy = usual(BackoffPolicy, base_s=0.1, cap_s=1.0, jitter=jitter)
    rng = Random(7)
    return [backoff_s(policy, failed, last_s, rng) for _ in range(MANY)]


@pytest.mark.parametrize(
    ("failed", "grown_s"), [(1, 0.1), (2, 0.2), (3, 0.4), (4, 0.8), (5, 1.0), (50, 1.0)]
)
def test_the_ranges_of_the_formula_are_kept_and_filled(failed: int, grown_s: float) -> None:
    """d = min(c, b × 2ⁿ⁻¹): none is d, equal lies in [d/2, d], full in [0, d], both evenly."""
    assert set(waits_s("none", failed)) == {grown_s}
    lowest_s: dict[Jitter, float] = {"equal": grown_s / 2, "full": 0.0}
    for jitter, low_s in lowest_s.items():
        waits = waits_s(jitter, failed)
        width_s = grown_s - low_s
        assert low_s <= min(waits) < low_s + 0.01 * width_s
        assert grown_s - 0.01 * width_s < max(waits) <= grown_s
        assert sum(waits) / MANY == pytest.approx(low_s + width_s / 2, rel=0.05)


def test_decorrelated_grows_from_the_last_wait() -> None:
    """Evenly between base and three times the last wait, cut off at the cap."""
    waits = waits_s("decorrelated", failed=2, last_s=0.2)
    assert 0.1 <= min(waits) < 0.11
    assert 0.59 < max(waits) <= 0.6
    capped = waits_s("decorrelated", failed=9, last_s=0.9)
    assert max(capped) == 1.0


def test_decorrelated_is_spread_from_the_first_wait_on() -> None:
    """Callers who failed together must not come back together."""
    waits = waits_s("decorrelated", failed=1)
    assert 0.1 <= min(waits) < 0.11
    assert 0.29 < max(waits) <= 0.3
    assert len(set(waits)) > MANY / 2


@given(
    jitter=st.sampled_from(JITTERS),
    failed=st.integers(1, 10**9),
    base_s=st.floats(0, 3600),
    cap_s=st.floats(0, 3600),
    last_s=st.floats(0, 3600),
    seed=st.integers(0, 2**32),
)
def test_no_wait_is_negative_or_above_the_cap(
    jitter: Jitter, failed: int, base_s: float, cap_s: float, last_s: float, seed: int
) -> None:
    """Whatever the knobs, and after a thousand million failures: no overflow, no surprise."""
    policy = BackoffPolicy(attempts=10_000, base_s=base_s, cap_s=cap_s, jitter=jitter)
    assert 0 <= backoff_s(policy, failed, last_s, Random(seed)) <= cap_s


def test_the_same_seed_waits_alike() -> None:
    """Chance comes in from outside."""
    assert waits_s("full", 3) == waits_s("full", 3)


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"base_s": -1}, {"cap_s": -1}], ids=str)
def test_a_policy_that_cannot_be_is_refused_when_made(wrong: dict[str, Any]) -> None:
    """A slice is validated when made."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        usual(BackoffPolicy, **wrong)
