"""The caller's time: what runs out in the queue is not started, what runs out at work goes on."""

import asyncio

import pytest

from bpdemo.core.errors import DeadlineExceeded
from bpdemo.core.events import JobStarted, OrderEnded
from bpdemo.core.model import Item, OrderRequest
from tests.service.stage import opened, settle
from tests.support.virtual import virtual


@virtual
async def test_work_that_expired_in_the_queue_is_never_started() -> None:
    """504 at the deadline, out of the queue at once, its place free, and nothing is charged."""
    async with opened(queue_capacity=1, workers=1) as stage:
        stage.comes()
        stage.believes(0.1)  # so that the estimate lets them in
        await settle()
        hasty = stage.comes(client_timeout_s=0.4)
        await settle()
        await asyncio.sleep(0.5)
        assert hasty.told == ("deadline_exceeded", pytest.approx(0.4))
        assert stage.office.queue_depth == 0
        assert stage.column()["expired"] == 1
        await stage.everybody_answered()
        assert len(stage.heard(JobStarted)) == 1
        assert stage.charged == 1


@virtual
async def test_work_that_expires_while_running_goes_on() -> None:
    """The answer is on time; in the books it runs until its worker is free; the order is sold."""
    async with opened() as stage:
        hasty = stage.comes(client_timeout_s=0.4)
        await settle()
        await asyncio.sleep(0.5)
        assert hasty.told == ("deadline_exceeded", pytest.approx(0.4))
        assert stage.column() == {"received": 1, "admitted": 1, "running": 1}
        assert stage.office.workers_busy == 1
        await asyncio.sleep(0.6)
        assert stage.column() == {"received": 1, "admitted": 1, "expired": 1}
        assert len(stage.stored) == 1  # a 504 means unknown


@virtual
async def test_an_overdue_job_is_not_started_even_when_its_timer_is_late() -> None:
    """A busy loop runs a ready worker before an overdue timer: the worker looks at the clock."""
    async with opened(queue_capacity=1) as stage:
        stage.comes()
        stage.believes(0.1)
        await settle()
        hasty = stage.comes(client_timeout_s=0.9)
        await settle()
        assert hasty.caller is not None
        assert hasty.caller.timer is not None
        hasty.caller.timer.cancel()  # as if it never came round
        await stage.everybody_answered()
        assert hasty.fate == "deadline_exceeded"
        assert len(stage.heard(JobStarted)) == 1


@virtual
async def test_a_deadline_that_falls_on_the_start_is_not_worth_starting() -> None:
    """At the very moment the time is over nobody waits any more."""
    async with opened(queue_capacity=1) as stage:
        stage.comes()
        stage.believes(0.1)  # so that the estimate lets them in
        await settle()
        on_the_dot = stage.comes(client_timeout_s=1.0)
        await stage.everybody_answered()
        assert on_the_dot.fate == "deadline_exceeded"
        assert len(stage.stored) == 1


@virtual
async def test_time_that_runs_out_before_charging_costs_nothing() -> None:
    """The store was slow with the item, and the time is up: no charge, 504, the worker is free."""
    async with opened(store_latency_s=0.5) as stage:
        hasty = stage.comes(client_timeout_s=0.4)
        await stage.everybody_answered()
        assert hasty.fate == "deadline_exceeded"
        assert stage.charged == 0
        assert stage.column() == {"received": 1, "admitted": 1, "expired": 1}


@virtual
async def test_every_answer_is_on_time_whatever_the_load() -> None:
    """Nobody with a deadline hears later than it, and all the same the books balance."""
    async with opened(
        workers=2,
        queue_capacity=-1,
        payment_latency_distribution="exponential",
        queue_discipline="lifo",
    ) as stage:
        for n in range(300):
            stage.comes(client_timeout_s=1.0 + n % 7)
            await asyncio.sleep(0.1)
        await stage.everybody_answered()
        for n, customer in enumerate(stage.customers):
            assert customer.answered_s is not None or customer.caller is None
            if customer.answered_s is not None:
                came_s = n * 0.1
                assert customer.answered_s <= came_s + 1.0 + n % 7 + 1e-6


@virtual
async def test_each_end_is_told_once_with_its_times() -> None:
    """`OrderEnded` carries how long the caller queued and how long the work took."""
    async with opened(queue_capacity=1) as stage:
        await stage.come(2)
        await stage.everybody_answered()
        first, second = stage.heard(OrderEnded)
        assert (first.outcome, first.reason, first.request_id) == ("success", None, "r1")
        assert (first.queue_s, first.service_s) == pytest.approx((0.0, 1.0))
        assert (second.queue_s, second.service_s) == pytest.approx((1.0, 1.0))


@virtual
async def test_a_deadline_exceeded_answer_is_an_exception_somebody_may_ignore() -> None:
    """An answer nobody looks at, because the request was cut off, makes no noise."""
    async with opened() as stage:
        caller = stage.office.intake.receive("r", stage.office.deadline(0.0, 0.5))
        await stage.office.intake.admit(caller, OrderRequest(1, 1))
        await asyncio.sleep(2.0)
        assert caller.answer.done()
        stage.office.intake.part(caller)
        assert isinstance(caller.answer.exception(), DeadlineExceeded)


@virtual
async def test_nothing_is_charged_after_the_deadline_though_its_timer_is_late() -> None:
    """The loop stalls while the item is read: the clock decides, and not whose turn comes first."""
    async with opened() as stage:
        store = stage.assembly.bare_store
        find_item = store.find_item

        async def find_slowly(item_id: int) -> Item | None:
            stage.stalled_s += 5.0
            return await find_item(item_id)

        store.find_item = find_slowly  # type: ignore[method-assign]
        hasty = stage.comes(client_timeout_s=3.0)
        await stage.everybody_answered()
        assert hasty.fate == "deadline_exceeded"
        assert stage.charged == 0
        assert stage.column() == {"received": 1, "admitted": 1, "expired": 1}
