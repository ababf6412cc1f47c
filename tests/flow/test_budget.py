"""Retries are a share of the calls, so that they cannot multiply an outage."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpdemo.flow.budget import WINDOW_S, BudgetPolicy, RetryBudget
from tests.flow.helpers import Clock
from tests.support.examples import examples
from tests.support.policies import usual


def spend(budget: RetryBudget, wanted: int) -> int:
    return sum(budget.try_spend() for _ in range(wanted))


def test_a_share_of_the_calls_and_a_floor_may_be_retried() -> None:
    """retries ≤ min_per_s × 10 + ratio × calls, to the last one."""
    budget = RetryBudget(usual(BudgetPolicy, ratio=0.25, min_per_s=3), Clock())
    for _ in range(1000):
        budget.deposit()
    assert budget.balance == 280
    assert spend(budget, 5000) == 280
    assert budget.balance == 0


def test_a_quiet_service_may_retry_up_to_the_floor() -> None:
    """Without a call in the window the floor alone counts."""
    assert spend(RetryBudget(usual(BudgetPolicy, ratio=0.2, min_per_s=1), Clock()), 100) == 10


def test_no_floor_and_no_calls_allow_nothing() -> None:
    """A budget of nothing is one too."""
    budget = RetryBudget(usual(BudgetPolicy, ratio=0.5, min_per_s=0), Clock())
    assert not budget.try_spend()
    budget.deposit()
    assert not budget.try_spend()  # half a retry is none
    budget.deposit()
    assert spend(budget, 5) == 1


def test_over_any_time_a_total_outage_adds_no_more_than_its_share() -> None:
    """100 calls a second, all failing, all retried twice if allowed: 30 retries a second."""
    clock = Clock()
    budget = RetryBudget(usual(BudgetPolicy, ratio=0.2, min_per_s=10), clock)
    retries = 0
    for _ in range(6000):
        budget.deposit()
        retries += spend(budget, 2)
        clock.advance(0.01)
    assert retries == pytest.approx(60 * 30, rel=0.1)


@pytest.mark.parametrize("hundredths", range(101))
def test_a_share_is_met_to_the_last_retry(hundredths: int) -> None:
    """29% of 100 calls are 29 retries, although 0.29 × 100 as floats is less than 29."""
    budget = RetryBudget(usual(BudgetPolicy, ratio=hundredths / 100, min_per_s=0), Clock())
    for _ in range(100):
        budget.deposit()
    assert budget.balance == hundredths
    assert spend(budget, 200) == hundredths


def test_a_share_in_another_precision_is_what_was_written() -> None:
    """numpy's 32 bits make 0.29 a little less, and mean the same."""
    numpy = pytest.importorskip("numpy")
    budget = RetryBudget(usual(BudgetPolicy, ratio=numpy.float32(0.29), min_per_s=0), Clock())
    for _ in range(100):
        budget.deposit()
    assert spend(budget, 200) == 29


@given(
    ratio=st.decimals(0, 1, places=4),
    min_per_s=st.decimals(0, 20, places=3),
    calls=st.integers(0, 400),
)
@settings(max_examples=examples(200), deadline=None)
def test_what_may_be_retried_is_exact(ratio: Decimal, min_per_s: Decimal, calls: int) -> None:
    """As many as the decimals say, whole retries only, and `balance` tells the same."""
    budget = RetryBudget(
        usual(BudgetPolicy, ratio=float(ratio), min_per_s=float(min_per_s)), Clock()
    )
    for _ in range(calls):
        budget.deposit()
    allowed = min_per_s * 10 + ratio * calls
    assert budget.balance == float(allowed)
    assert spend(budget, 1000) == int(allowed)
    assert budget.balance == float(allowed - int(allowed))


@given(
    policy=st.builds(
        usual,
        st.just(BudgetPolicy),
        ratio=st.sampled_from([0.0, 0.1, 0.29, 1.0]),
        min_per_s=st.sampled_from([0.0, 0.3, 2.0]),
    ),
    story=st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.001, 0.3, 0.999, 1.0, 4.0, 8.9]),
            st.integers(0, 30),
            st.integers(0, 60),
        ),
        max_size=40,
    ),
)
@settings(max_examples=examples(100), deadline=None)
def test_no_nine_seconds_hold_more_retries_than_promised(
    policy: BudgetPolicy, story: list[tuple[float, int, int]]
) -> None:
    """`min_per_s` × 10 + `ratio` × the calls of the ten seconds before, at each retry; so over any
    time, a ninth of the most that ten seconds allow, each second, and one window's more."""
    clock = Clock()
    budget = RetryBudget(policy, clock)
    calls: list[float] = []
    retries: list[float] = []
    most = Fraction(0)
    for wait_s, called, wanted in story:
        clock.advance(wait_s)
        calls += [clock.now] * called
        for _ in range(called):
            budget.deposit()
        spent = spend(budget, wanted)
        retries += [clock.now] * spent
        recent = sum(at > clock.now - 10 for at in calls)
        allowed = Fraction(str(policy.min_per_s)) * 10 + Fraction(str(policy.ratio)) * recent
        most = max(most, allowed)
        if spent:
            assert sum(at > clock.now - 9 for at in retries) <= allowed
    assert len(retries) <= most * (1 + Fraction(clock.now) / 9)


def test_a_burst_is_forgotten_nine_seconds_later_at_the_earliest() -> None:
    """The slot it fell in leaves whole: what the docstring calls the most does happen."""
    clock = Clock(0.999)
    budget = RetryBudget(usual(BudgetPolicy, ratio=0, min_per_s=10), clock)
    assert spend(budget, 1000) == 100
    clock.now = 9.999
    assert spend(budget, 1000) == 0
    clock.now = 10.0
    assert spend(budget, 1000) == 100


def test_a_turned_budget_counts_by_its_new_share() -> None:
    """Exactly, and from that moment on; what was spent stays spent."""
    budget = RetryBudget(usual(BudgetPolicy, ratio=0.5, min_per_s=0), Clock())
    for _ in range(100):
        budget.deposit()
    assert spend(budget, 20) == 20
    budget.policy = usual(BudgetPolicy, ratio=0.29, min_per_s=0)
    assert spend(budget, 200) == 9


def test_what_was_spent_is_forgotten_after_the_window() -> None:
    """Both sides of the account are rolling."""
    clock = Clock()
    budget = RetryBudget(usual(BudgetPolicy, ratio=1, min_per_s=1), clock)
    for _ in range(50):
        budget.deposit()
    assert spend(budget, 1000) == 60
    clock.advance(WINDOW_S)
    assert spend(budget, 1000) == 10


def test_switched_off_it_denies_nothing_and_still_counts() -> None:
    """Switched on again in the midst of a storm it must know of the storm."""
    budget = RetryBudget(usual(BudgetPolicy, enabled=False), Clock())
    assert spend(budget, 10_000) == 10_000
    budget.policy = usual(BudgetPolicy, enabled=True)
    assert not budget.try_spend()


@pytest.mark.parametrize("wrong", [{"ratio": -0.1}, {"ratio": 1.1}, {"min_per_s": -1}], ids=str)
def test_a_policy_that_cannot_be_is_refused_when_made(wrong: dict[str, Any]) -> None:
    """A slice is validated when made."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        usual(BudgetPolicy, **wrong)
