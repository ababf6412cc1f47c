"""Who is let in: the place formula, and every reason for a no at the door and at the place."""

import asyncio

import pytest

from bpdemo.assembly.office import Assembly
from bpdemo.core.errors import ClientLimit, ConcurrencyLimit, WouldExpire
from bpdemo.core.events import Event, OrderAdmitted, OrderRejected
from bpdemo.core.model import OrderRequest
from bpdemo.core.settings import Settings
from bpdemo.service.intake import CallerLeft
from tests.service.stage import now, opened, settle
from tests.support.virtual import virtual


@pytest.mark.parametrize(("workers", "capacity"), [(1, 0), (1, 2), (3, 0), (3, 4), (8, 32)])
@virtual
async def test_as_many_are_admitted_at_once_as_there_are_workers_and_places(
    workers: int, capacity: int
) -> None:
    """busy + depth < workers + capacity: K of theory is workers + capacity, 0 uses idle workers."""
    async with opened(workers=workers, queue_capacity=capacity) as stage:
        for _ in range(workers + capacity + 5):
            stage.comes()  # all in one moment, before any worker has taken one
        await settle()
        assert stage.books.admitted == workers + capacity
        assert (stage.office.workers_busy, stage.office.queue_depth) == (workers, capacity)
        assert [c.fate for c in stage.customers[workers + capacity :]] == ["queue_full"] * 5


@virtual
async def test_a_place_comes_free_when_a_worker_does() -> None:
    """The next caller after an order is done gets in; the one just before it does not."""
    async with opened(queue_capacity=0) as stage:
        first = stage.comes()
        assert stage.comes().fate is None  # let in at the door, refused at the place
        await settle()
        assert stage.customers[1].fate == "queue_full"
        assert first.task is not None
        await first.task
        await settle()
        third = stage.comes()
        await stage.everybody_answered()
        assert third.fate == 201


@virtual
async def test_an_unbounded_queue_refuses_nobody() -> None:
    """Capacity -1 is the naive service: everyone gets a place."""
    async with opened(queue_capacity=-1) as stage:
        await stage.come(200)
        assert stage.books.admitted == 200
        assert stage.office.queue_depth == 199


@virtual
async def test_a_full_queue_is_seen_at_the_door() -> None:
    """The no comes from `receive`, before a body is read, and is booked as rejected."""
    async with opened() as stage:
        await stage.come(3)
        refused = stage.comes()
        assert refused.caller is None
        assert refused.fate == "queue_full"
        assert stage.column() == {
            "received": 4, "rejected": 1, "admitted": 3, "queued": 2, "running": 1,
        }  # fmt: skip
        assert stage.heard(OrderRejected) == [OrderRejected("queue_full", "r4")]


@virtual
async def test_a_place_may_be_gone_when_the_body_has_arrived() -> None:
    """The door's yes is no place: anyone who sends their body faster takes it."""
    async with opened(queue_capacity=0) as stage:
        slow = stage.comes(body_s=0.5)
        await settle()
        assert stage.column() == {"received": 1, "waiting": 1}
        quick = stage.comes()
        await stage.everybody_answered()
        assert (slow.fate, quick.fate) == ("queue_full", 201)


@virtual
async def test_time_that_ran_out_while_the_body_came_is_refused() -> None:
    """Slow body: no place is given to work that nobody waits for any more."""
    async with opened() as stage:
        slow = stage.comes(body_s=3.0, client_timeout_s=2.0)
        await stage.everybody_answered()
        assert slow.fate == "would_expire"
        assert stage.column() == {"received": 1, "rejected": 1}
        assert stage.charged == 0


@virtual
async def test_an_estimated_wait_beyond_the_deadline_is_refused_at_the_door() -> None:
    """One running and one queued make two seconds of waiting, and the order takes a third: three
    must fit into 0.8 of the time, so 3.7 s are too little and 3.8 are enough."""
    async with opened(queue_capacity=5) as stage:
        await stage.come(2)
        hasty, patient = stage.comes(client_timeout_s=3.7), stage.comes(client_timeout_s=3.8)
        assert hasty.fate == "would_expire"
        assert hasty.caller is None
        assert patient.caller is not None
        await stage.everybody_answered()


@virtual
async def test_an_estimated_wait_is_looked_at_again_at_the_place() -> None:
    """What was quick at the door has become slow when the body has arrived."""
    async with opened(queue_capacity=5) as stage:
        slow = stage.comes(client_timeout_s=1.5, body_s=0.4)
        await stage.come(2)
        await stage.everybody_answered()
        assert slow.fate == "would_expire"
        assert slow.answered_s == pytest.approx(0.4)


@virtual
async def test_a_deadline_that_has_passed_is_refused_whatever_the_queue() -> None:
    """No patience at all is no reason to start."""
    async with opened() as stage:
        assert stage.comes(client_timeout_s=0.0).fate == "would_expire"


@virtual
async def test_an_open_payment_circuit_refuses_at_the_door() -> None:
    """`circuit_open` with the time until it half-opens, and nothing is admitted meanwhile."""
    async with opened(breaker_min_calls=2, breaker_open_s=10.0, retry_attempts=1) as stage:
        stage.turn(payment_outage=True)
        await stage.come(2)
        assert stage.office.breaker_states()["payment"] == "open"
        refused = stage.comes()
        assert refused.fate == "circuit_open"
        assert refused.retry_after_s is not None
        assert 11 <= refused.retry_after_s <= 13  # ten seconds, and a spread of 1 to 3
        stage.turn(payment_outage=False)


@virtual
async def test_a_circuit_that_may_half_open_lets_callers_in() -> None:
    """After `breaker_open_s` somebody must come in, or nobody would ever probe."""
    async with opened(
        breaker_min_calls=1, breaker_open_s=10.0, retry_attempts=1, breaker_half_open_calls=1
    ) as stage:
        stage.turn(payment_outage=True)
        await stage.come(1)
        stage.turn(payment_outage=False)
        await _pass(10.0)
        probe = stage.comes()
        await stage.everybody_answered()
        assert probe.fate == 201
        assert stage.office.breaker_states()["payment"] == "closed"


@virtual
async def test_nobody_is_let_in_before_the_start_and_while_draining() -> None:
    """`draining` at the door, and at the place for those who were let in before."""
    async with opened(queue_capacity=5) as stage:
        slow = stage.comes(body_s=0.5)
        running = stage.comes()
        await settle()
        stage.office.intake.close()
        assert stage.comes().fate == "draining"
        await stage.everybody_answered()
        assert (slow.fate, running.fate) == ("draining", 201)


@virtual
async def test_the_door_asks_in_the_order_of_the_contract() -> None:
    """Draining before circuit, circuit before queue, queue before time."""
    async with opened(
        queue_capacity=0, breaker_min_calls=1, retry_attempts=1, breaker_open_s=60.0
    ) as stage:
        running = stage.comes()
        await settle()
        assert stage.comes(client_timeout_s=0.0).fate == "queue_full"
        stage.turn(payment_outage=True)
        other = stage.assembly.office._payment_guard  # the breaker that orders share
        permit = other.breaker.acquire()
        other.breaker.failure(permit)
        assert stage.comes(client_timeout_s=0.0).fate == "circuit_open"
        stage.office.intake.close()
        assert stage.comes(client_timeout_s=0.0).fate == "draining"
        stage.turn(payment_outage=False)
        await stage.everybody_answered()
        assert running.fate == 201


@virtual
async def test_an_unreadable_request_is_taken_out_of_the_books() -> None:
    """Malformed, or gone while waiting: as if they had never come."""
    async with opened() as stage:
        caller = stage.office.intake.receive("r")
        assert stage.column() == {"received": 1, "waiting": 1}
        stage.office.intake.part(caller)
        stage.office.intake.part(caller)  # the edge may say so twice
        assert stage.column() == {}


@virtual
async def test_a_no_of_a_door_before_this_one_is_booked() -> None:
    """Limits at the edge refuse before the intake hears of a caller: received and rejected all
    the same."""
    async with opened() as stage:
        stage.office.intake.reject("a", ClientLimit())
        stage.office.intake.reject("b", ConcurrencyLimit())
        assert stage.column() == {"received": 2, "rejected": 2}
        assert [e.reason for e in stage.heard(OrderRejected)] == [
            "client_limit", "concurrency_limit",
        ]  # fmt: skip


@virtual
async def test_one_whom_the_door_let_in_can_be_turned_away_once() -> None:
    """A body that came too slowly is refused by the edge; what follows changes nothing."""
    async with opened() as stage:
        caller = stage.office.intake.receive("r")
        stage.office.intake.refuse(caller, WouldExpire())
        stage.office.intake.refuse(caller, WouldExpire())
        stage.office.intake.part(caller)
        assert stage.column() == {"received": 1, "rejected": 1}
        assert not stage.heard(OrderAdmitted)


@virtual
async def test_a_deadline_is_the_callers_patience_capped_by_the_settings() -> None:
    """Whichever is shorter; with neither there is none."""
    async with opened(request_timeout_s=2.0) as stage:
        office = stage.office
        assert office.deadline(now()).at == 2.0
        assert office.deadline(now(), 0.5).at == 0.5
        assert office.deadline(now(), 60.0).at == 2.0
        stage.turn(request_timeout_s=0.0)
        assert office.deadline(now(), 60.0).at == 60.0
        assert office.deadline(now()).at == float("inf")


async def _pass(seconds: float) -> None:
    await asyncio.sleep(seconds)
    await settle()


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize("policy", ["reject", "block"])
@virtual
async def test_who_need_not_wait_is_admitted_at_once(policy: str, key: str | None) -> None:
    """Under reject always, also to the job in flight under their key. Where it may take a wait,
    under block or beside another body, the answer is False and the caller still waits."""
    async with opened(queue_policy=policy) as stage:
        intake = stage.office.intake
        first, same, other = (intake.receive(str(number)) for number in range(3))
        at_once = intake.try_admit(first, OrderRequest(1, 1), key)
        assert at_once is (policy == "reject")
        assert (first.phase, stage.office.queue_depth) == (
            ("queued", 1) if at_once else ("waiting", 0)
        )
        if not at_once:
            await intake.admit(first, OrderRequest(1, 1), key)
        assert intake.try_admit(same, OrderRequest(1, 1), key) is (at_once or key is not None)
        assert intake.try_admit(other, OrderRequest(2, 1), key) is (at_once and key is None)
        for caller in (same, other):
            if caller.phase == "waiting":
                await intake.admit(caller, OrderRequest(1, 1), key)
        assert {caller.phase for caller in (first, same, other)} == {"queued"}
        for caller in (first, same, other):
            assert (await caller.answer).order.item_id in (1, 2)
            intake.part(caller)


@virtual
async def test_who_has_left_is_not_admitted_at_once_either() -> None:
    """They are out of the books, as if they had never come."""
    async with opened() as stage:
        caller = stage.office.intake.receive("a")
        stage.office.intake.hang_up(caller)
        with pytest.raises(CallerLeft):
            stage.office.intake.try_admit(caller, OrderRequest(1, 1))
        assert (stage.books.received, stage.office.queue_depth) == (0, 0)


@virtual
async def test_an_observer_that_raises_as_one_is_admitted_leaves_them_in_their_place() -> None:
    """Who gives up then takes their job along, and the books are right."""

    class Broken:
        def observe(self, event: Event, /) -> None:
            if isinstance(event, OrderAdmitted):
                raise ZeroDivisionError

    loop = asyncio.get_running_loop()
    assembly = Assembly(Settings(seed=1, workers=1), clock=loop.time, observer=Broken())
    office = assembly.office
    await office.start()
    caller = office.intake.receive("a")
    with pytest.raises(ZeroDivisionError):
        office.intake.try_admit(caller, OrderRequest(1, 1))
    office.intake.part(caller)
    books = office.intake.books
    assert books.balanced
    assert (books.abandoned, books.queued, books.waiting, office.queue_depth) == (1, 0, 0, 0)
    assert office.intake.quiet.is_set()
    await office.stop()
