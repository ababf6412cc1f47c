"""Limits that adapt, in the service's own code: where they start, what is seen of them, what a
payment that never answers does."""

from typing import Any

import pytest

from bpdemo.core.choices import LIMIT_ALGORITHMS
from bpdemo.core.settings import Settings
from bpdemo.sim.play import Play, play

ADAPTIVE = [name for name in LIMIT_ALGORITHMS if name != "fixed"]


def limits(played: Play) -> list[float]:
    return [sample[8] for sample in played.samples]


@pytest.mark.parametrize(
    ("knobs", "start"),
    [
        ({}, 16),  # 8 workers, and as many who wait
        ({"queue_capacity": 3}, 11),
        ({"queue_capacity": 0}, 8),
        ({"queue_capacity": -1}, 16),  # unbounded: the limit alone protects
        ({"max_in_flight": 5}, 5),
        ({"limit_min": 30}, 30),
        ({"limit_max": 10}, 10),
    ],
)
def test_where_a_limit_starts(knobs: dict[str, Any], start: int) -> None:
    """At `max_in_flight` or, unless that is set, with an order at each worker and one that waits
    for it, if the queue has room for them; within its bounds."""
    played = play(Settings(limit_algorithm="own", **knobs), rate=20, seconds=1)
    assert set(limits(played)) == {start}


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ADAPTIVE)
def test_a_limit_alone_protects_the_naive_service(algorithm: str) -> None:
    """Twice what it can do, no other protection: without a limit next to nothing is in time after
    a while; with each of them most is (AIMD by a deadline of the service's own)."""
    knobs: dict[str, Any] = {"request_timeout_s": 0.4} if algorithm == "aimd" else {}
    naive = play(Settings.unprotected(), times=2, seconds=12)
    limited = play(Settings.unprotected(limit_algorithm=algorithm, **knobs), times=2, seconds=12)
    assert naive.summary()["goodput_share"] < 0.25
    assert limited.summary()["goodput_share"] > 0.8
    assert max(limits(naive)) == 0
    assert min(limits(limited)) >= 1


def test_the_fixed_limit_stays_and_adds_nothing() -> None:
    """Of the default path no figure is changed: 0 is no limit, and what is set stands."""
    assert set(limits(play(Settings(), times=2, seconds=2))) == {0}
    assert set(limits(play(Settings(max_in_flight=12), times=2, seconds=2))) == {12}


def test_a_payment_that_never_answers_is_ended_by_the_attempts_timeout() -> None:
    """Half of the calls hang: their orders take a timeout longer, or fail after the last one, and
    no worker is lost. Nothing that was taken is kept of those that failed."""
    settings = Settings(
        payment_hang_rate=0.5, attempt_timeout_s=0.2, workers=20, retry_budget_ratio=1.0,
        breaker_enabled=False, retry_base_s=0.0, retry_jitter="none",
    )  # fmt: skip
    played = play(settings, rate=20, seconds=20, client_timeout_s=2.0)
    reasons = [order.reason for order in played.orders]
    assert 0.05 < reasons.count("downstream_failed") / len(reasons) < 0.25  # an eighth
    assert reasons.count("") / len(reasons) > 0.75
    slow = sum(order.latency_s > 0.2 for order in played.orders)
    assert slow > len(reasons) / 3


def test_without_a_timeout_calls_that_never_answer_take_the_workers_one_by_one() -> None:
    """Each holds its worker for good: in the end nobody is served."""
    settings = Settings.unprotected(payment_hang_rate=0.2, workers=4, queue_capacity=4)
    played = play(settings, rate=20, seconds=10)
    last = [order.status for order in played.orders if order.t_s > 5]
    assert 201 not in last
