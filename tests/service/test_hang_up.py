"""Callers who leave: what nobody waits for is not started, and what was begun goes on."""

import asyncio

import pytest

from bpdemo.core.events import JobStarted, OrderEnded
from bpdemo.core.model import OrderRequest
from bpdemo.service.intake import CallerLeft
from tests.service.stage import opened, settle
from tests.support.virtual import virtual


@virtual
async def test_queued_work_whose_caller_left_never_starts() -> None:
    """Out of the queue at once, counted `abandoned`, its place free for another."""
    async with opened(queue_capacity=1) as stage:
        _, leaver = await stage.come(2)
        assert stage.comes().fate == "queue_full"
        leaver.hang_up()
        assert stage.office.queue_depth == 0
        assert stage.column()["abandoned"] == 1
        other = stage.comes()
        await stage.everybody_answered()
        assert (leaver.fate, other.fate) == ("left", 201)
        assert len(stage.heard(JobStarted)) == 2
        assert stage.charged == 2


@virtual
async def test_leaving_while_it_runs_changes_nothing() -> None:
    """The order is paid and stored, and the books say success."""
    async with opened() as stage:
        (leaver,) = await stage.come(1)
        leaver.hang_up()
        await settle()
        assert leaver.fate == "left"
        assert stage.column() == {"received": 1, "admitted": 1, "running": 1}
        await asyncio.sleep(1.1)
        assert stage.column() == {"received": 1, "admitted": 1, "success": 1}
        assert len(stage.stored) == 1


@virtual
async def test_leaving_between_the_queue_and_the_first_step_is_still_in_time() -> None:
    """A worker has taken the job but not begun it: it is not started."""
    async with opened() as stage:
        leaver = stage.comes()
        for _ in range(30):
            await asyncio.sleep(0)
            if stage.office.workers_busy:
                break
        assert stage.column() == {"received": 1, "admitted": 1, "queued": 1}
        leaver.hang_up()
        await stage.everybody_answered()
        await settle()
        assert stage.column() == {"received": 1, "admitted": 1, "abandoned": 1}
        assert not stage.heard(JobStarted)


@pytest.mark.parametrize("turns", range(12))
@virtual
async def test_no_turn_of_the_loop_is_wrong_for_leaving(turns: int) -> None:
    """Abandoned or sold, never both, never neither."""
    async with opened() as stage:
        leaver = stage.comes()
        for _ in range(turns):
            await asyncio.sleep(0)
        leaver.hang_up()
        await stage.everybody_answered()
        await asyncio.sleep(2.0)
        books = stage.books
        assert books.received == books.abandoned + books.success <= 1
        assert books.success == len(stage.stored) == stage.charged


@virtual
async def test_with_dropping_off_the_work_is_done_for_nobody() -> None:
    """`drop_on_disconnect` false is the naive service: it works through the queue of the gone."""
    async with opened(drop_on_disconnect=False) as stage:
        _, leaver = await stage.come(2)
        leaver.hang_up()
        await settle()
        assert stage.office.queue_depth == 1
        await stage.everybody_answered()
        assert stage.column() == {"received": 2, "admitted": 2, "success": 2}


@virtual
async def test_a_request_that_ends_without_an_answer_is_a_hang_up() -> None:
    """The server cut the request off: cancelling it takes the queued work with it."""
    async with opened() as stage:
        _, cut_off = await stage.come(2)
        assert cut_off.task is not None
        cut_off.task.cancel()
        await settle()
        assert stage.office.queue_depth == 0
        assert stage.column()["abandoned"] == 1


@virtual
async def test_whoever_left_before_he_was_read_gets_no_place() -> None:
    """A hang-up that is seen between the body and the place counts as one while waiting."""
    async with opened() as stage:
        intake = stage.office.intake
        caller = intake.receive("r")
        intake.hang_up(caller)
        with pytest.raises(CallerLeft):
            await intake.admit(caller, OrderRequest(1, 1))
        intake.part(caller)
        assert stage.column() == {}


@virtual
async def test_hanging_up_twice_or_after_the_answer_changes_nothing() -> None:
    """The edge may see a disconnect late, and more than once."""
    async with opened() as stage:
        _, leaver = await stage.come(2)
        leaver.hang_up()
        leaver.hang_up()
        await stage.everybody_answered()
        stage.customers[0].hang_up()
        leaver.hang_up()
        assert stage.column() == {"received": 2, "admitted": 2, "success": 1, "abandoned": 1}
        assert [e.outcome for e in stage.heard(OrderEnded)] == ["abandoned", "success"]


@virtual
async def test_an_abandoned_job_makes_room_for_one_who_waits_for_a_place() -> None:
    """Policy block: the place passes to the next in line in that moment."""
    async with opened(queue_policy="block", queue_capacity=1) as stage:
        _, leaver, waiter = await stage.come(3)
        assert stage.books.waiting == 1
        leaver.hang_up()
        await settle()
        assert stage.books.waiting == 0
        await stage.everybody_answered()
        assert waiter.fate == 201
