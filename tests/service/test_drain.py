"""The end of a service: finish what was admitted, reject the rest, settle what is owed."""

import asyncio
from typing import Any

import pytest

from tests.service.stage import PLAIN, Stage, close, opened, settle
from tests.support.virtual import virtual


@virtual
async def test_what_was_admitted_is_finished_and_new_ones_are_told() -> None:
    """Running and queued orders are sold; anyone who comes meanwhile hears `draining`."""
    async with opened(queue_capacity=3) as stage:
        await stage.come(4)
        draining = asyncio.create_task(stage.office.drain(timeout_s=60.0))
        await settle()
        assert stage.office.state == "draining"
        assert stage.comes().fate == "draining"
        await draining
        await stage.everybody_answered()
        assert [c.fate for c in stage.customers] == [201, 201, 201, 201, "draining"]


@virtual
async def test_the_drain_ends_as_soon_as_all_is_done() -> None:
    """It does not wait out its time."""
    async with opened(queue_capacity=3) as stage:
        await stage.come(3)
        await stage.office.drain(timeout_s=3600.0)
        assert asyncio.get_running_loop().time() == pytest.approx(3.0)


@virtual
async def test_the_queued_are_shed_when_the_time_is_over() -> None:
    """Four seconds of work and two and a half of time: three are sold, the fourth is shed."""
    async with opened(queue_capacity=3, attempt_timeout_s=5.0) as stage:
        await stage.come(4)
        await stage.office.drain(timeout_s=2.5)
        await stage.everybody_answered()
        assert [c.fate for c in stage.customers] == [201, 201, 201, "draining"]
        assert stage.customers[3].answered_s == pytest.approx(2.5)
        assert stage.column() == {"received": 4, "admitted": 4, "success": 3, "shed": 1}


@pytest.mark.parametrize("attempt_timeout_s", [5.0, 0.0])
@virtual
async def test_charged_work_finishes_its_attempts(attempt_timeout_s: float) -> None:
    """The drain's time is over at once: the order that was being charged is stored all the same,
    also where nothing bounds an attempt."""
    async with opened(attempt_timeout_s=attempt_timeout_s) as stage:
        await stage.come(2)
        await asyncio.sleep(0.1)
        await stage.office.drain(timeout_s=0.0)
        await stage.everybody_answered()
        assert [c.fate for c in stage.customers] == [201, "draining"]


@virtual
async def test_charged_work_may_use_all_its_attempts_and_make_good() -> None:
    """The store answers no attempt: the drain, out of time itself, waits for the last of them and
    until the money is back."""
    knobs = {"attempt_timeout_s": 2.0, "retry_base_s": 1.0, "retry_jitter": "none"}
    async with opened(**knobs, payment_latency_s=0.5) as stage:
        stage.assembly.bare_store.place = _never  # type: ignore[method-assign]
        stage.comes()
        await asyncio.sleep(0.1)
        await stage.office.drain(timeout_s=0.0)
        await stage.everybody_answered()
        assert stage.customers[0].fate == "downstream_failed"
        assert stage.customers[0].answered_s == pytest.approx(0.5 + 3 * 2.0 + 2 * 1.0 + 0.5)
        assert stage.charged == stage.refunded == 1


async def _never(order: object) -> Any:
    await asyncio.sleep(3600.0)


@virtual
async def test_owed_refunds_are_settled_by_the_drain() -> None:
    """The provider comes back while draining: `stop` has nothing to report."""
    async with opened(retry_attempts=1) as stage:
        stage.turn(payment_failure_rate=1.0)
        await stage.come(1)
        await stage.everybody_answered()
        asyncio.get_running_loop().call_later(5.0, lambda: stage.turn(payment_failure_rate=0.0))
        await stage.office.drain(timeout_s=60.0)
        assert stage.charged == stage.refunded
        assert await stage.office.stop() == 0


@virtual
async def test_a_drain_that_cannot_settle_says_what_is_owed() -> None:
    """The provider fails: the drain ends on time, and `stop` tells how many refunds remain."""
    stage = Stage({**PLAIN, "retry_attempts": 1})
    await stage.office.start()
    stage.turn(payment_failure_rate=1.0)
    await stage.come(2)
    await stage.everybody_answered()
    await stage.office.drain(timeout_s=5.0)
    assert asyncio.get_running_loop().time() == pytest.approx(5.0)
    assert await stage.office.stop() == 2
    await settle()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@virtual
async def test_the_bound_on_the_end_holds() -> None:
    """`finish_s` is for those who cannot wait: work that takes longer is cut off and told so."""
    stage = Stage({**PLAIN, "payment_latency_s": 100.0})
    await stage.office.start()
    await stage.come(1)
    await stage.office.drain(timeout_s=1.0, finish_s=2.0)
    await stage.office.stop()
    await stage.everybody_answered()
    await settle()
    assert asyncio.get_running_loop().time() <= 5.0
    assert stage.customers[0].fate == "internal_error"
    assert stage.column() == {"received": 1, "admitted": 1, "failure": 1}
    assert asyncio.all_tasks() == {asyncio.current_task()}


@virtual
async def test_stopping_without_a_drain_answers_everybody() -> None:
    """Abrupt, but nobody is left hanging, no task is left, and the books balance."""
    stage = Stage({**PLAIN, "queue_policy": "block"})
    await stage.office.start()
    await stage.come(5)
    await stage.office.stop()
    await stage.everybody_answered()
    await settle()
    fates = [c.fate for c in stage.customers]
    assert fates == ["internal_error", "draining", "draining", "draining", "draining"]
    assert stage.column() == {
        "received": 5, "rejected": 2, "admitted": 3, "failure": 1, "shed": 2,
    }  # fmt: skip
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("turns", range(10))
@virtual
async def test_no_turn_of_the_loop_is_wrong_for_a_stop(turns: int) -> None:
    """Whichever step of its life an order is in, its caller hears something and is counted once."""
    stage = Stage({**PLAIN, "request_timeout_s": 60.0})
    await stage.office.start()
    first = stage.comes(key="k")
    second = stage.comes(client_timeout_s=0.0000001)
    for _ in range(turns):
        await asyncio.sleep(0)
    first.hang_up() if turns % 2 else None
    await stage.office.stop()
    await stage.everybody_answered()
    await settle()
    books = stage.books
    assert books.balanced
    assert (books.waiting, books.queued, books.running) == (0, 0, 0)
    assert first.fate is not None
    assert second.fate is not None
    assert stage.office.intake.quiet.is_set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@virtual
async def test_a_duplicate_may_join_what_is_being_finished() -> None:
    """Let in before the drain, its body still to come: it needs no place, and gets its order."""
    async with opened() as stage:
        first = stage.comes(key="k")
        await settle()
        slow = stage.comes(key="k", body_s=0.5)
        await settle()
        await stage.office.drain(timeout_s=60.0)
        await stage.everybody_answered()
        assert (first.fate, slow.fate) == (201, 200)


@virtual
async def test_draining_and_stopping_twice_changes_nothing() -> None:
    """The server drains first and the application once more."""
    stage = Stage(PLAIN)
    await stage.office.start()
    states = [stage.office.state]
    await stage.come(1)
    await stage.office.drain(timeout_s=60.0)
    await stage.office.drain(timeout_s=60.0)
    await close(stage)
    states.append(stage.office.state)
    assert states == ["open", "stopped"]
    assert await stage.office.stop() == 0
