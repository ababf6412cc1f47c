"""Retries wait as told, and a budget keeps them to a share of the orders."""

import random

import pytest

from bpdemo.plan.retries import ClientRetryBudget, retry_delay_s


def delays(backoff: str, jitter: str, retry: int, told_s: float | None = None) -> list[float]:
    rng = random.Random(1)
    return [retry_delay_s(backoff, jitter, retry, told_s, rng) for _ in range(500)]


def test_none_comes_back_at_once() -> None:
    """No backoff waits for nothing, whatever the server asks."""
    assert set(delays("none", "full", 1, 30.0)) == {0.0}


@pytest.mark.parametrize(
    ("jitter", "low", "high"), [("none", 0.2, 0.2), ("full", 0, 0.2), ("equal", 0.1, 0.2)]
)
def test_exponential_backoff_draws_from_its_range(jitter: str, low: float, high: float) -> None:
    """The third retry waits up to 0.05 · 2² s, spread as the jitter says."""
    seen = delays("exponential", jitter, 3)
    assert low <= min(seen) <= low + 0.01
    assert high - 0.01 <= max(seen) <= high


def test_exponential_backoff_ends_at_its_cap() -> None:
    """Twenty doublings still wait one second."""
    assert set(delays("exponential", "none", 20)) == {1.0}


@pytest.mark.parametrize(("jitter", "high"), [("none", 2.0), ("full", 4.0), ("equal", 3.0)])
def test_retry_after_is_never_cut_short(jitter: str, high: float) -> None:
    """Jitter adds to what the server asked for."""
    seen = delays("retry_after", jitter, 1, 2.0)
    assert min(seen) >= 2.0
    assert high - 0.1 <= max(seen) <= high


def test_retry_after_without_the_header_is_exponential() -> None:
    """A hang-up tells no time to come back."""
    assert set(delays("retry_after", "none", 1, None)) == {0.05}


def test_a_budget_keeps_retries_to_its_share() -> None:
    """Of 1,000 failing orders with three retries each, a tenth is sent again."""
    budget = ClientRetryBudget(0.1)
    spent = 0
    for _ in range(1000):
        budget.earn()
        spent += sum(budget.try_spend() for _ in range(3))
    assert spent == 100


def test_a_quiet_hour_does_not_pay_for_a_storm() -> None:
    """Savings stop at ten retries."""
    budget = ClientRetryBudget(0.5)
    for _ in range(10_000):
        budget.earn()
    assert sum(budget.try_spend() for _ in range(100)) == 10


def test_no_budget_sets_no_limit() -> None:
    """None lets every retry through."""
    assert all(ClientRetryBudget(None).try_spend() for _ in range(100))
