"""Policy block: wait for a place, in a bounded line, for a bounded time."""

import asyncio

import pytest

from tests.service.stage import opened, settle
from tests.support.virtual import virtual


def blocking(**knobs: object) -> dict[str, object]:
    return {"queue_policy": "block", "queue_capacity": 0, "queue_block_timeout_s": 5.0} | knobs


@virtual
async def test_a_caller_waits_for_a_place_and_gets_it() -> None:
    """First come, first served: one leaves each second, and the next begins at once."""
    async with opened(**blocking()) as stage:
        await stage.come(4)
        assert stage.column() == {"received": 4, "waiting": 3, "admitted": 1, "running": 1}
        await stage.everybody_answered()
        assert [c.fate for c in stage.customers] == [201] * 4
        assert [c.answered_s for c in stage.customers] == pytest.approx([1.0, 2.0, 3.0, 4.0])


@virtual
async def test_only_so_many_may_wait() -> None:
    """Beyond `queue_block_waiters` the no comes at once, at the door."""
    async with opened(**blocking(queue_block_waiters=2)) as stage:
        await stage.come(5)
        assert [c.fate for c in stage.customers] == [None, None, None, "queue_full", "queue_full"]
        assert stage.customers[3].caller is None
        assert stage.books.waiting == 2


@virtual
async def test_the_bound_holds_at_the_place_too() -> None:
    """Many let in by the door with their bodies still to come cannot make the line longer."""
    async with opened(**blocking(queue_block_waiters=2)) as stage:
        slow = [stage.comes(body_s=0.5) for _ in range(6)]
        await stage.everybody_answered()
        fates = [c.fate for c in slow]
        assert (fates.count(201), fates.count("queue_full")) == (3, 3)


@virtual
async def test_whoever_waits_too_long_is_refused() -> None:
    """`queue_timeout` after `queue_block_timeout_s`, and they take no place afterwards."""
    async with opened(**blocking(queue_block_timeout_s=0.4)) as stage:
        await stage.come(2)
        await stage.everybody_answered()
        late = stage.customers[1]
        assert late.told == ("queue_timeout", pytest.approx(0.4))
        assert stage.column() == {"received": 2, "rejected": 1, "admitted": 1, "success": 1}


@virtual
async def test_time_that_runs_out_while_waiting_for_a_place_is_refused() -> None:
    """The caller's own time ends before the block does: `would_expire`, at that moment."""
    async with opened(**blocking(queue_capacity=0)) as stage:
        await stage.come(1)
        stage.believes(0.1)  # a tenth of a second's wait is estimated, and it takes a whole one
        hasty = stage.comes(client_timeout_s=1.3)
        later = stage.comes(
            client_timeout_s=1.3
        )  # the same estimate, but another stands before them
        await stage.everybody_answered()
        assert later.told == ("would_expire", pytest.approx(1.3))
        assert hasty.fate == "deadline_exceeded"


@virtual
async def test_a_place_that_comes_too_late_to_be_of_use_is_not_taken() -> None:
    """What is left of the caller's time when the place comes free is held against the line."""
    async with opened(**blocking(queue_capacity=1)) as stage:
        await stage.come(2)  # one runs until 1, one until 2
        stage.believes(0.1)
        doomed = stage.comes(client_timeout_s=2.5)
        await asyncio.sleep(0.5)
        # At 2 there is a place, and 0.6 s are left; by then two orders of a second have raised
        # the mean to 0.27 s, so that wait and service would take 0.54 of them, more than 0.8.
        second = stage.comes(client_timeout_s=2.1)
        await stage.everybody_answered()
        assert doomed.fate == "deadline_exceeded"  # started at 2, had until 2.5
        assert second.fate == "would_expire"
        assert second.answered_s == pytest.approx(2.0)


@virtual
async def test_the_door_looks_at_the_waiters_only() -> None:
    """Under block an estimate at the door would refuse those who may yet be lucky."""
    async with opened(**blocking()) as stage:
        await stage.come(1)
        assert stage.comes(client_timeout_s=0.1).caller is not None
        await stage.everybody_answered()
        assert stage.customers[1].fate == "would_expire"  # at the place


@virtual
async def test_hanging_up_while_waiting_for_a_place_leaves_no_trace() -> None:
    """They are out of the books and out of the line, and the next in line moves up."""
    async with opened(**blocking()) as stage:
        _, leaver, patient = await stage.come(3)
        leaver.hang_up()
        await settle()
        assert leaver.fate == "left"
        assert stage.column() == {"received": 2, "waiting": 1, "admitted": 1, "running": 1}
        await stage.everybody_answered()
        assert patient.answered_s == pytest.approx(2.0)


@virtual
async def test_a_hang_up_in_the_moment_of_the_grant_passes_the_place_on() -> None:
    """A place was given to them, and they are gone before they can take it: the next one has it."""
    async with opened(**blocking()) as stage:
        first, leaver, patient = await stage.come(3)
        assert first.task is not None
        assert leaver.task is not None
        # The answer of the first and the grant come in the same turns of the loop: leave in each.
        first.task.add_done_callback(lambda _: leaver.hang_up())
        await stage.everybody_answered()
        assert leaver.fate in ("left", 201)
        assert patient.fate == 201


@pytest.mark.parametrize("turns", range(8))
@virtual
async def test_no_turn_of_the_loop_is_wrong_for_a_hang_up(turns: int) -> None:
    """Whatever the turn in which they leave, books and places stay right."""
    async with opened(**blocking()) as stage:
        _, leaver, patient = await stage.come(3)
        await asyncio.sleep(1.0)
        for _ in range(turns):
            await asyncio.sleep(0)
        leaver.hang_up()
        await stage.everybody_answered()
        assert patient.fate == 201


@virtual
async def test_a_request_that_is_cancelled_as_its_caller_hangs_up_stays_cancelled() -> None:
    """Our own cancellation is taken back; the server's must go through."""
    async with opened(**blocking()) as stage:
        _, waiter = await stage.come(2)
        assert waiter.task is not None
        waiter.hang_up()
        waiter.task.cancel()
        await settle()
        assert waiter.task.cancelled()
        assert stage.books.waiting == 0


@virtual
async def test_cancelling_a_waiting_request_forgets_its_caller() -> None:
    """A server that gives up its requests leaves no ghost in the line."""
    async with opened(**blocking()) as stage:
        _, waiter, patient = await stage.come(3)
        assert waiter.task is not None
        waiter.task.cancel()
        await settle()
        assert stage.books.waiting == 1
        await stage.everybody_answered()
        assert patient.answered_s == pytest.approx(2.0)


@virtual
async def test_those_who_wait_for_a_place_hear_of_the_drain() -> None:
    """They were not admitted: they are told `draining`, at once."""
    async with opened(**blocking()) as stage:
        running, waiter = await stage.come(2)
        await stage.office.drain(timeout_s=60.0)
        await stage.everybody_answered()
        assert (running.fate, waiter.fate) == (201, "draining")
        assert waiter.answered_s == pytest.approx(0.0)


@virtual
async def test_a_duplicate_that_waits_for_a_place_joins_once_the_first_has_one() -> None:
    """Two of one key in the line: the first place serves both, the other goes to the next."""
    async with opened(**blocking()) as stage:
        await stage.come(1)
        first, second = await stage.come(2, key="k")
        other = stage.comes()
        await stage.everybody_answered()
        assert (first.fate, second.fate, other.fate) == (201, 200, 201)
        assert first.order == second.order
        assert stage.charged == 3


@virtual
async def test_a_duplicate_gives_the_place_back_that_it_waited_for() -> None:
    """Two places come free at once for two of one key: one is enough, the other goes on."""
    async with opened(**blocking()) as stage:
        await stage.come(1)
        await stage.come(2, key="k")
        await stage.come(1)
        stage.turn(queue_capacity=2)
        await settle()
        assert stage.office.queue_depth == 2  # the one of the key, and the one behind it
        assert (stage.books.queued, stage.books.waiting) == (3, 0)
        await stage.everybody_answered()


@virtual
async def test_a_duplicate_is_not_refused_a_place_that_it_does_not_need() -> None:
    """The first of its key got the place; the second joins it and is not told `queue_timeout`."""
    async with opened(**blocking(queue_block_timeout_s=1.5)) as stage:
        await stage.come(1)
        first, second = await stage.come(2, key="k")
        await stage.everybody_answered()
        assert (first.fate, second.fate) == (201, 200)


@pytest.mark.parametrize("end", ["no time is left", "too little is left", "drain"])
@virtual
async def test_a_duplicate_of_what_is_being_done_is_told_no_definite_no(end: str) -> None:
    """Whatever would refuse it a place: the order of its key is under way, and may be sold. So it
    joins that one, and hears what becomes of it, or that its time is up."""
    async with opened(**blocking(workers=2)) as stage:
        await stage.come(1)
        await asyncio.sleep(0.3)
        await stage.come(1)
        stage.believes(0.1)
        first = stage.comes(key="k")  # begins at 1
        client_timeout_s = {"no time is left": 0.8, "too little is left": 0.9, "drain": None}[end]
        second = stage.comes(key="k", client_timeout_s=client_timeout_s)
        await settle()
        if end == "too little is left":  # at 1, when a place comes free behind the first's worker
            stage.turn(queue_capacity=1)
        await asyncio.sleep(0.8)
        if end == "drain":
            await stage.office.drain(timeout_s=60.0)
        await stage.everybody_answered()
        assert first.fate == 201
        assert second.fate == (200 if end == "drain" else "deadline_exceeded")


@virtual
async def test_without_dropping_a_waiting_caller_keeps_his_turn() -> None:
    """drop_on_disconnect off: the naive service works for those who have left."""
    async with opened(**blocking(drop_on_disconnect=False)) as stage:
        _, leaver = await stage.come(2)
        leaver.hang_up()
        await stage.everybody_answered()
        assert leaver.fate == 201
        assert len(stage.stored) == 2
