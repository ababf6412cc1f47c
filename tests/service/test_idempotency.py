"""One key, one order: duplicates join, other bodies fail, and only a stored order keeps a key."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from bpdemo.core.events import JobStarted
from bpdemo.core.model import Order
from bpdemo.service.intake import LOOKS_AT_ONCE
from tests.service.stage import Stage, opened, settle
from tests.support.virtual import virtual


@virtual
async def test_duplicates_in_flight_make_one_charge_and_one_order() -> None:
    """The first hears 201, the rest 200, all of them the same order."""
    async with opened() as stage:
        customers = await stage.come(5, key="k")
        await stage.everybody_answered()
        assert [c.fate for c in customers] == [201, 200, 200, 200, 200]
        assert len({c.order.id for c in customers if c.order}) == 1
        assert (stage.charged, len(stage.stored), len(stage.heard(JobStarted))) == (1, 1, 1)
        assert stage.column() == {"received": 5, "admitted": 5, "success": 5}


@virtual
async def test_a_duplicate_takes_no_place_of_its_own() -> None:
    """Queued duplicates are one job; the books count callers, the queue counts jobs."""
    async with opened(queue_capacity=2) as stage:
        await stage.come(1)
        await stage.come(4, key="k")
        assert stage.office.queue_depth == 1
        assert stage.books.queued == 4
        other = stage.comes()
        await stage.everybody_answered()
        assert other.fate == 201


@virtual
async def test_a_duplicate_whose_body_was_slow_joins_though_no_place_is_left() -> None:
    """It needs none: the door let it in, and the queue has filled up meanwhile."""
    async with opened(queue_capacity=0) as stage:
        late = stage.comes(key="k", body_s=0.5)
        first = stage.comes(key="k")
        await stage.everybody_answered()
        assert (first.fate, late.fate) == (201, 200)


@virtual
async def test_the_deadline_of_a_queued_job_is_the_latest_of_its_callers() -> None:
    """The first one's time runs out; the job stays for the second, who gets the order."""
    async with opened(queue_capacity=2) as stage:
        stage.comes()
        stage.believes(0.1)
        await settle()
        hasty = stage.comes(key="k", client_timeout_s=0.5)
        await settle()
        patient = stage.comes(key="k", client_timeout_s=5.0)
        await stage.everybody_answered()
        assert hasty.told == ("deadline_exceeded", pytest.approx(0.5))
        assert patient.told == (200, pytest.approx(2.0))
        assert stage.column() == {"received": 3, "admitted": 3, "success": 2, "expired": 1}


@pytest.mark.parametrize(
    ("client_timeout_s", "joined_s"),
    [(0.3, 0.2), (0.6, 0.2), (0.6, 0.55)],
    ids=["key", "both", "item"],
)
@virtual
async def test_a_duplicate_that_joins_running_work_extends_its_deadline(
    client_timeout_s: float, joined_s: float
) -> None:
    """The first one's time ends while the store is asked, for the key until 0.5 or for the item
    until 1.0: the work goes on for the second."""
    async with opened(store_latency_s=0.5, payment_latency_s=0.1) as stage:
        hasty = stage.comes(key="k", client_timeout_s=client_timeout_s)
        await asyncio.sleep(joined_s)
        patient = stage.comes(key="k", client_timeout_s=10.0)
        await stage.everybody_answered()
        assert hasty.told == ("deadline_exceeded", pytest.approx(client_timeout_s))
        assert patient.fate == 200
        assert len(stage.stored) == 1


@virtual
async def test_a_job_is_abandoned_only_when_all_its_callers_have_left() -> None:
    """One of two leaves: it stays queued, and runs. Both leave: it never starts."""
    async with opened(queue_capacity=3) as stage:
        await stage.come(1)
        leaver, stayer = await stage.come(2, key="a")
        gone = await stage.come(2, key="b")
        leaver.hang_up()
        gone[0].hang_up()
        assert stage.office.queue_depth == 2
        gone[1].hang_up()
        assert stage.office.queue_depth == 1
        assert stage.column()["abandoned"] == 2
        await stage.everybody_answered()
        assert stayer.fate == 200
        assert [order.key for order in stage.stored] == [None, "a"]
        assert stage.column() == {"received": 5, "admitted": 5, "success": 3, "abandoned": 2}


@virtual
async def test_whoever_is_left_when_the_last_patient_one_expires_is_abandoned() -> None:
    """One left, the other's time ran out: nobody waits for the job any more."""
    async with opened(queue_capacity=2) as stage:
        stage.comes()
        stage.believes(0.1)
        await settle()
        leaver = stage.comes(key="k")
        await settle()
        stage.comes(key="k", client_timeout_s=0.5)
        await settle()
        leaver.hang_up()
        await asyncio.sleep(0.6)
        assert stage.office.queue_depth == 0
        books = stage.column()
        assert (books["expired"], books["abandoned"]) == (1, 1)
        await stage.everybody_answered()
        assert len(stage.stored) == 1


@virtual
async def test_a_key_in_flight_with_another_body_fails_at_once() -> None:
    """422 and a failure in the books, without waiting for the order that holds the key."""
    async with opened() as stage:
        first = stage.comes(key="k")
        await settle()
        other = stage.comes(key="k", quantity=2)
        await settle()
        assert other.fate == "invalid_request"
        assert "Idempotency-Key" in str(other.error)
        assert stage.column() == {"received": 2, "admitted": 2, "failure": 1, "running": 1}
        await stage.everybody_answered()
        assert first.fate == 201


@virtual
async def test_a_stored_key_with_another_body_fails() -> None:
    """The worker finds the order, and that it is not what is asked for; nothing is charged."""
    async with opened() as stage:
        stage.comes(key="k")
        await stage.everybody_answered()
        other = stage.comes(key="k", item_id=2)
        await stage.everybody_answered()
        assert other.fate == "invalid_request"
        assert stage.charged == 1
        assert stage.column() == {"received": 2, "admitted": 2, "success": 1, "failure": 1}


@virtual
async def test_a_replay_from_the_store_takes_a_worker() -> None:
    """It is looked up after admission: it waits its turn, and answers 200 without a charge."""
    async with opened() as stage:
        stage.comes(key="k")
        await stage.everybody_answered()
        stage.comes()  # occupies the worker for a second
        await settle()
        repeat = stage.comes(key="k")
        await settle()
        assert stage.office.queue_depth == 1
        await stage.everybody_answered()
        assert repeat.fate == 200
        assert repeat.answered_s == pytest.approx(2.0)
        assert repeat.order == stage.customers[0].order
        assert stage.charged == 2


@pytest.mark.parametrize(
    "end", ["failure", "sold_out", "expired", "abandoned", "unknown_item", "crash"]
)
@virtual
async def test_every_end_but_a_stored_order_releases_the_key(end: str) -> None:
    """Another body may use the key afterwards, and the same one makes a new order."""
    knobs = {"initial_stock": 1, "retry_attempts": 1, "queue_capacity": 2}
    async with opened(**knobs) as stage:
        await _end(stage, end)
        again = stage.comes(key="k", item_id=3)
        await stage.everybody_answered()
        assert again.fate == 201
        assert [order.key for order in stage.stored][-1] == "k"


async def _end(stage: Stage, end: str) -> None:
    intake = stage.office.intake
    if end == "failure":
        stage.turn(payment_outage=True)
        customer = stage.comes(key="k")
        await settle()
        stage.turn(payment_outage=False)
        assert customer.fate == "downstream_failed"
    elif end == "sold_out":
        customer = stage.comes(key="k", quantity=2)
        await stage.everybody_answered()
        assert customer.fate == "sold_out"
    elif end == "unknown_item":
        customer = stage.comes(key="k", item_id=101)
        await stage.everybody_answered()
        assert customer.fate == "invalid_request"
    elif end == "crash":
        sell, intake._work.sell = intake._work.sell, _crash  # type: ignore[method-assign]
        customer = stage.comes(key="k")
        await settle()
        intake._work.sell = sell  # type: ignore[method-assign]
        assert customer.fate == "internal_error"
    else:
        stage.comes(item_id=2)
        stage.believes(0.1)
        await settle()
        customer = stage.comes(key="k", client_timeout_s=0.5)
        await settle()
        if end == "abandoned":
            customer.hang_up()
        await stage.everybody_answered()
        assert customer.fate == ("left" if end == "abandoned" else "deadline_exceeded")


async def _crash(job: object) -> Any:
    raise ZeroDivisionError


@virtual
async def test_an_order_answered_504_is_found_under_its_key() -> None:
    """A 504 means unknown: repeating with the same key tells the outcome, and charges nothing."""
    async with opened() as stage:
        hasty = stage.comes(key="k", client_timeout_s=0.5)
        await stage.everybody_answered()
        assert hasty.fate == "deadline_exceeded"
        at_once = stage.comes(key="k", client_timeout_s=5.0)  # joins the work that still runs
        await stage.everybody_answered()
        later = stage.comes(key="k")
        await stage.everybody_answered()
        assert (at_once.fate, later.fate) == (200, 200)
        assert at_once.order == later.order
        assert stage.charged == 1


@virtual
async def test_without_a_key_nothing_joins() -> None:
    """Two equal bodies without a key are two orders."""
    async with opened() as stage:
        await stage.come(2)
        await stage.everybody_answered()
        assert [c.fate for c in stage.customers] == [201, 201]
        assert len(stage.stored) == 2


@virtual
async def test_a_duplicate_that_joins_late_runs_at_once_in_the_books() -> None:
    """Joining work that runs moves the caller straight to `running`."""
    async with opened() as stage:
        await stage.come(1, key="k")
        await asyncio.sleep(0.5)
        await stage.come(1, key="k")
        assert stage.column() == {"received": 2, "admitted": 2, "running": 2}
        await stage.everybody_answered()
        assert [c.answered_s for c in stage.customers] == pytest.approx([1.0, 1.0])


@virtual
async def test_a_duplicate_that_joins_running_work_has_its_own_deadline() -> None:
    """It is answered when its own time is over, though the work and the first caller go on."""
    async with opened() as stage:
        first = stage.comes(key="k")
        stage.believes(0.1)
        await settle()
        hasty = stage.comes(key="k", client_timeout_s=0.4)
        await stage.everybody_answered()
        assert hasty.told == ("deadline_exceeded", pytest.approx(0.4))
        assert first.told == (201, pytest.approx(1.0))
        assert stage.column() == {"received": 2, "admitted": 2, "success": 1, "expired": 1}


@pytest.mark.parametrize("beside", ["queued", "looking", "left"])
@virtual
async def test_a_repeat_finds_its_order_whatever_else_is_in_flight_under_its_key(
    beside: str,
) -> None:
    """A stranger to the order has its key in flight with another body, in the queue or at the
    store, waiting or gone: the repeat is answered 200, and the stranger 422 as ever."""
    async with opened(queue_capacity=4) as stage:
        first = stage.comes(key="k")
        await stage.everybody_answered()
        if beside == "queued":
            stage.comes()  # takes the worker
            await settle()
        stage.turn(store_latency_s=0.1)
        stranger = stage.comes(key="k", quantity=2)
        await settle()
        if beside == "left":
            stranger.hang_up()
        repeat = stage.comes(key="k")
        await stage.everybody_answered()
        assert (repeat.fate, repeat.order) == (200, first.order)
        assert stranger.fate == ("left" if beside == "left" else "invalid_request")
        assert stage.charged == len(stage.stored)


@pytest.mark.parametrize("quantity", [1, 2])
@virtual
async def test_an_order_that_another_process_stored_meanwhile_is_found_by_its_repeat(
    quantity: int,
) -> None:
    """Ours is being charged under the same key with another body: who asks for what is stored
    is answered with it, and everybody else hears of the other body."""
    async with opened() as stage:
        ours = stage.comes(key="k", quantity=3)
        await asyncio.sleep(0.5)
        theirs = Order("theirs", 1, 1, 4500, datetime(2000, 1, 1, tzinfo=UTC), key="k")
        await stage.assembly.bare_store.place(theirs)
        stage.assembly.provider.book.charged += 1
        repeat = stage.comes(key="k", quantity=quantity)
        await settle()
        assert repeat.fate == (200 if quantity == 1 else "invalid_request")
        await stage.everybody_answered()
        assert ours.fate == "invalid_request"


@pytest.mark.parametrize(
    ("fault", "fate", "column"),
    [
        ({"store_outage": True, "retry_attempts": 1}, "downstream_failed", "failure"),
        ({"store_latency_s": 9.0}, "deadline_exceeded", "expired"),
    ],
)
@virtual
async def test_a_look_beside_another_body_that_fails_is_told_as_it_is(
    fault: dict[str, Any], fate: str, column: str
) -> None:
    """Nobody knows whether the key is theirs: not 422, and one more in the books."""
    async with opened() as stage:
        stage.comes(key="k")
        await settle()
        stage.believes(0.1)
        stage.turn(**fault)
        beside = stage.comes(key="k", quantity=2, client_timeout_s=1.5)
        stage.believes(0.1)
        await asyncio.sleep(2.0)
        assert beside.fate == fate
        assert stage.column()[column] == 1
        stage.turn(store_outage=False, store_latency_s=0.0)


@virtual
async def test_whoever_leaves_while_their_key_is_looked_up_is_out_of_the_books() -> None:
    """Nothing goes on for them: neither in the books nor at the store."""
    async with opened() as stage:
        stage.comes(key="k")
        await settle()
        stage.turn(store_latency_s=3600.0)
        leaver, cut = stage.comes(key="k", quantity=2), stage.comes(key="k", quantity=2)
        await settle()
        assert stage.books.waiting == 2
        leaver.hang_up()
        cut.cut_off()
        await settle()
        assert (leaver.fate, cut.fate) == ("left", "left")
        assert stage.column() == {"received": 1, "admitted": 1, "running": 1}
        stage.turn(store_latency_s=0.0)


@virtual
async def test_no_more_than_so_many_look_at_once() -> None:
    """Each costs a call of the store and no place in the queue: the next one is refused."""
    async with opened(pool_max=LOOKS_AT_ONCE) as stage:
        stage.comes(key="k")
        await settle()
        stage.turn(store_latency_s=0.1)
        beside = [stage.comes(key="k", quantity=2) for _ in range(LOOKS_AT_ONCE + 1)]
        await stage.everybody_answered()
        assert [c.fate for c in beside].count("invalid_request") == LOOKS_AT_ONCE
        assert beside[-1].fate == "queue_full"
        assert stage.column()["rejected"] == 1
