"""Estimates: how long a newcomer would wait, how fast the line moves, when to come back."""

import asyncio
from random import Random

import pytest

from bpdemo.core.choices import DISCIPLINES
from bpdemo.core.errors import CircuitOpen, QueueFull
from bpdemo.flow.pace import Pace
from bpdemo.flow.queue import BoundedQueue, QueuePolicy
from bpdemo.flow.retry_after import RetryAfter
from bpdemo.flow.seats import Seats
from bpdemo.service.advice import Advice
from bpdemo.service.order_job import OrderJob
from bpdemo.service.wait_estimate import WaitEstimate
from tests.service.stage import now, opened, settle
from tests.support.policies import usual
from tests.support.virtual import virtual


def test_the_pace_starts_from_the_promise_and_follows_what_is_measured() -> None:
    """An exponentially weighted mean: a tenth of each new one, and in the end the new level."""
    pace = Pace(0.04)
    assert pace.mean_s == 0.04
    pace.note(0.14)
    assert pace.mean_s == pytest.approx(0.05)
    for _ in range(100):
        pace.note(1.0)
    assert pace.mean_s == pytest.approx(1.0, rel=1e-3)


@virtual
async def test_the_service_notes_how_long_its_jobs_take() -> None:
    """The payment has become slower than the settings promised: the estimates follow."""
    async with opened(payment_latency_s=0.1, queue_capacity=100) as stage:
        stage.turn(payment_latency_s=1.0)
        stage.comes()
        await settle()
        assert stage.comes(client_timeout_s=0.26).caller is not None  # promised: 0.1 s for each
        await stage.everybody_answered()
        await stage.come(50)
        await stage.everybody_answered()
        await stage.come(1)
        assert stage.comes(client_timeout_s=0.9).fate == "would_expire"


def estimate_of(discipline: str, *, workers: int, busy: int, queued: list[int]) -> WaitEstimate:
    """Each order takes 2 s; `queued` are priorities in order of arrival."""
    seats = Seats(workers)
    seats.busy = busy
    queue: BoundedQueue[OrderJob] = BoundedQueue(
        usual(QueuePolicy, capacity=-1, discipline=discipline),
        idle=lambda: seats.free,
        clock=lambda: 0.0,
        on_shed=lambda job, waited_s: None,
    )
    for priority in queued:
        queue.try_put(OrderJob(None, None, 0.0), priority)
    return WaitEstimate(queue, seats, Pace(2.0))


@virtual
async def test_orders_that_ran_out_of_time_at_work_make_none_seem_quick() -> None:
    """An idle worker takes anyone who has time left, and stops when it is over: that order would
    have taken at least so long, and who comes next is told by what the others took."""
    async with opened(store_latency_s=0.5, payment_latency_s=0.5, cache_ttl_s=0.0) as stage:
        for _ in range(5):
            stage.comes()
            await stage.everybody_answered()
        usual_s = stage.office._pace.mean_s
        for _ in range(50):
            hasty = stage.comes(client_timeout_s=0.01)
            await stage.everybody_answered()
            assert hasty.fate == "deadline_exceeded"
            await asyncio.sleep(1.0)
        assert stage.office._pace.mean_s == usual_s


@pytest.mark.parametrize(
    ("discipline", "priority", "wait_s"),
    [
        ("fifo", 3, 5.0),
        ("codel", 0, 5.0),
        ("lifo", 0, 1.0),
        ("priority", 0, 5.0),
        ("priority", 1, 4.0),
        ("priority", 2, 2.0),
        ("priority", 3, 2.0),
    ],
)
def test_a_newcomer_waits_for_those_who_go_first(
    discipline: str, priority: int, wait_s: float
) -> None:
    """Two busy workers free one place a second; ahead of them are all, none, or the prior ones."""
    estimate = estimate_of(discipline, workers=2, busy=2, queued=[0, 1, 3, 1])
    assert estimate.estimated_wait_s(priority) == wait_s


@pytest.mark.parametrize("discipline", DISCIPLINES)
def test_nobody_waits_while_a_worker_is_idle(discipline: str) -> None:
    """Free workers take those ahead and the newcomer too."""
    assert estimate_of(discipline, workers=4, busy=2, queued=[1]).estimated_wait_s(1) == 0.0
    assert estimate_of(discipline, workers=1, busy=0, queued=[]).estimated_wait_s(1) == 0.0


def test_a_shrink_that_has_yet_to_settle_is_no_negative_worker() -> None:
    """More busy than there are workers: nobody is free, which is not less than none."""
    estimate = estimate_of("fifo", workers=1, busy=3, queued=[1])
    assert estimate.estimated_wait_s(1) == 4.0


@pytest.mark.parametrize(
    ("discipline", "wait_s"), [("fifo", 2.0), ("codel", 2.0), ("priority", 2.0), ("lifo", 1.0)]
)
def test_one_who_is_in_the_line_does_not_wait_for_himself(discipline: str, wait_s: float) -> None:
    """The last of two: one before them, and their own turn."""
    estimate = estimate_of(discipline, workers=2, busy=2, queued=[1, 1])
    assert estimate.wait_in_it_s(1) == wait_s


@pytest.mark.parametrize("discipline", ["lifo", "priority"])
@virtual
async def test_an_estimate_is_made_for_the_callers_own_turn(discipline: str) -> None:
    """Four wait in a long line, but not before this one: they are let in and served next."""
    async with opened(queue_capacity=10, queue_discipline=discipline) as stage:
        await stage.come(5, priority=0)
        favoured = stage.comes(client_timeout_s=2.5, priority=3)
        await settle()
        await stage.everybody_answered()
        assert favoured.fate == 201
        assert favoured.answered_s == pytest.approx(2.0)


@virtual
async def test_advice_spreads_the_refused_over_the_time_the_backlog_takes() -> None:
    """Whole seconds from 1 to max(3, backlog × mean ÷ workers), 30 at most, evenly."""
    estimate = estimate_of("fifo", workers=4, busy=4, queued=[1] * 16)
    few = Advice(estimate, RetryAfter(now, Random(1)))
    # (16 waiting + 1 refused) × 2 s ÷ 4: nine seconds at first, and more with each refusal.
    assert 1 <= few.retry_after_s(QueueFull()) <= 9
    drawn = [few.retry_after_s(QueueFull()) for _ in range(2000)]
    assert set(drawn[200:]) == set(range(1, 31))
    await asyncio.sleep(5.0)  # those refusals are old news now
    assert max(few.retry_after_s(QueueFull()) for _ in range(8)) <= 13


@virtual
async def test_advice_for_an_open_circuit_begins_when_it_half_opens() -> None:
    """The spread comes on top of the time that must pass anyway."""
    estimate = estimate_of("fifo", workers=4, busy=0, queued=[])
    advice = Advice(estimate, RetryAfter(now, Random(1)))
    told = {advice.retry_after_s(CircuitOpen(retry_after_s=7.2)) for _ in range(50)}
    assert min(told) == 9
    assert max(told) <= 8 + 25


@virtual
async def test_every_no_carries_advice() -> None:
    """Whatever the reason: at least one whole second."""
    async with opened(queue_capacity=0) as stage:
        await stage.come(20)
        told = [c.retry_after_s for c in stage.customers if c.fate == "queue_full"]
        assert len(told) == 19
        assert all(type(s) is int for s in told)
        assert min(told) >= 1
        assert len(set(told)) > 1
