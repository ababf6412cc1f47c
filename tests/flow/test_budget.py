"""Retries are a share of the calls, so that they cannot multiply an outage."""

from typing import Any

import pytest

from bpdemo.flow.budget import WINDOW_S, BudgetPolicy, RetryBudget
from tests.flow.helpers import Clock


def spend(budget: RetryBudget, wanted: int) -> int:
    return sum(budget.try_spend() for _ in range(wanted))


def test_a_share_of_the_calls_and_a_floor_may_be_retried() -> None:
    """retries ≤ min_per_s × 10 + ratio × calls, to the last one."""
    budget = RetryBudget(BudgetPolicy(ratio=0.25, min_per_s=3), Clock())
    for _ in range(1000):
        budget.deposit()
    assert budget.balance == 280
    assert spend(budget, 5000) == 280
    assert budget.balance == 0


def test_a_quiet_service_may_retry_up_to_the_floor() -> None:
    """Without a call in the window the floor alone counts."""
    assert spend(RetryBudget(BudgetPolicy(ratio=0.2, min_per_s=1), Clock()), 100) == 10


def test_no_floor_and_no_calls_allow_nothing() -> None:
    """A budget of nothing is one too."""
    budget = RetryBudget(BudgetPolicy(ratio=0.5, min_per_s=0), Clock())
    assert not budget.try_spend()
    budget.deposit()
    assert not budget.try_spend()  # half a retry is none
    budget.deposit()
    assert spend(budget, 5) == 1


def test_over_any_time_a_total_outage_adds_no_more_than_its_share() -> None:
    """100 calls a second, all failing, all retried twice if allowed: 30 retries a second."""
    clock = Clock()
    budget = RetryBudget(BudgetPolicy(ratio=0.2, min_per_s=10), clock)
    retries = 0
    for _ in range(6000):
        budget.deposit()
        retries += spend(budget, 2)
        clock.advance(0.01)
    assert retries == pytest.approx(60 * 30, rel=0.1)


def test_what_was_spent_is_forgotten_after_the_window() -> None:
    """Both sides of the account are rolling."""
    clock = Clock()
    budget = RetryBudget(BudgetPolicy(ratio=1, min_per_s=1), clock)
    for _ in range(50):
        budget.deposit()
    assert spend(budget, 1000) == 60
    clock.advance(WINDOW_S)
    assert spend(budget, 1000) == 10


def test_switched_off_it_denies_nothing_and_still_counts() -> None:
    """Switched on again in the midst of a storm it must know of the storm."""
    budget = RetryBudget(BudgetPolicy(enabled=False), Clock())
    assert spend(budget, 10_000) == 10_000
    budget.policy = BudgetPolicy(enabled=True)
    assert not budget.try_spend()


@pytest.mark.parametrize("wrong", [{"ratio": -0.1}, {"ratio": 1.1}, {"min_per_s": -1}], ids=str)
def test_a_policy_that_cannot_be_is_refused_when_made(wrong: dict[str, Any]) -> None:
    """A slice is validated when made."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        BudgetPolicy(**wrong)
