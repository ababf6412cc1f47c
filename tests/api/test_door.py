"""The door: in which order it looks, what it books, and that everybody who enters leaves."""

import asyncio
import time
from typing import Any

import pytest

from tests.support.http import BODY, STUCK, Call, Service, assert_problem, running
from tests.support.waiting import until

UNREADABLE = b"this is no order"


def nonsense(service: Service, *headers: tuple[bytes, bytes]) -> Call:
    """An order of which neither body nor headers can be read."""
    return service.order((b"x-priority", b"high"), *headers, body=UNREADABLE)


async def open_circuit(service: Service) -> None:
    service.turn(payment_outage=True, breaker_min_calls=1, retry_attempts=1, breaker_open_s=5.0)
    assert (await service.order()()).status == 503
    service.turn(payment_outage=False)


async def test_the_order_of_checks():
    """Each check answers before all that follow it, seen by lifting one trouble after another."""
    async with running(**STUCK) as service:
        await open_circuit(service)
        service.turn(max_in_flight=1, client_max_in_flight=1, store_latency_s=3600.0)
        inside = service.call("GET", "/orders/x")
        await until(lambda: service.in_flight == 1)

        other = (b"x-client-id", b"other")
        assert_problem(await service.call("DELETE", "/orders")(), 405, "method_not_allowed")
        assert_problem(await nonsense(service)(), 429, "client_limit")
        assert_problem(await nonsense(service, other)(), 503, "concurrency_limit")
        service.turn(max_in_flight=0, client_max_in_flight=0)
        assert_problem(await nonsense(service)(), 503, "circuit_open")

        service.turn(breaker_enabled=False, store_latency_s=0.0)
        working = await service.fill()
        assert_problem(await nonsense(service)(), 503, "queue_full")
        service.turn(queue_capacity=10)
        hurried = (b"x-request-timeout-ms", b"1")
        assert_problem(await nonsense(service, hurried)(), 503, "would_expire")
        assert_problem(await nonsense(service)(), 422, "invalid_request", "X-Priority")
        unreadable = service.order(body=UNREADABLE)
        assert_problem(await unreadable(), 422, "invalid_request", "body")

        service.turn(max_in_flight=1, client_max_in_flight=1)
        await service.office.drain(0.0)
        assert_problem(await service.call("DELETE", "/orders")(), 503, "draining")
        assert_problem(await nonsense(service)(), 503, "draining")
        for call in (inside, working):
            call.task.cancel()


async def test_an_unreadable_client_counts_as_absent():
    """A caller whose X-Client-Id cannot be read has the share of their address."""
    async with running(**STUCK, client_max_in_flight=1) as service:
        await service.fill()
        answer = await service.order((b"x-client-id", b"\xff"))()
        assert_problem(answer, 429, "client_limit")
        elsewhere = service.call("POST", "/orders", body=BODY, peer=("10.0.0.7", 1))
        assert_problem(await elsewhere(), 503, "queue_full")


async def test_an_unreadable_patience_counts_as_absent_at_the_door():
    """With no readable patience there is no time to run out: past the door it is a 422."""
    async with running(**(STUCK | {"queue_capacity": 5})) as service:
        await service.fill()
        answer = await service.order((b"x-request-timeout-ms", b"0"))()
        assert_problem(answer, 422, "invalid_request", "X-Request-Timeout-Ms")


async def test_who_has_no_address_has_a_share_too():
    """Where the server does not know the peer, all such callers share one share."""
    async with running(**STUCK, client_max_in_flight=1) as service:
        first = service.call("POST", "/orders", body=BODY, peer=None)
        await until(lambda: service.in_flight == 1)
        assert_problem(await service.call("GET", "/items", peer=None)(), 429, "client_limit")
        first.task.cancel()


async def test_under_block_the_door_looks_at_the_waiters_only():
    """A caller in a hurry is let in, and their order read, before they hear that it is too late."""
    block = {"queue_policy": "block", "queue_block_timeout_s": 60.0, "queue_block_waiters": 1}
    async with running(**STUCK, **block) as service:
        await service.fill()
        hurry = (b"x-request-timeout-ms", b"60")
        assert_problem(await service.order(hurry, body=b"x")(), 422, "invalid_request", "body")
        assert_problem(await service.order(hurry)(), 503, "would_expire")
        assert service.books["rejected"] == 1


async def test_a_wait_for_a_place_ends_with_ones_own_time():
    """Nobody knows how long a place takes to come free: at the deadline it is `would_expire`."""
    block = {"queue_policy": "block", "queue_block_timeout_s": 60.0}
    knobs = STUCK | {"payment_latency_s": 0.001, "queue_capacity": 0}
    async with running(**knobs, **block) as service:
        service.turn(payment_latency_s=3600.0)  # the estimate still goes by what it was
        await service.fill()
        started_s = time.monotonic()
        call = service.order((b"x-request-timeout-ms", b"60"))
        assert_problem(await call(), 503, "would_expire")
        assert time.monotonic() - started_s >= 0.06
        assert service.books["rejected"] == 1


async def test_a_waiter_gets_the_place_that_comes_free():
    """Under block an order waits for its place, and is sold."""
    block = {"queue_policy": "block", "queue_block_timeout_s": 5.0}
    async with running(workers=1, queue_capacity=0, payment_latency_s=0.03, **block) as service:
        answers = await asyncio.gather(*(service.order()() for _ in range(4)))
        assert [answer.status for answer in answers] == [201] * 4
        service.assert_at_rest()


@pytest.mark.parametrize(
    "path", ["/items", "/items/1", "/items/x/y", "/items/", "/orders/", "/orders/x", "/orders/a/b"]
)
async def test_limits_hold_for_everything_below_items_and_orders(path):
    """Whether such a path exists is told only to those whom the gate lets in."""
    async with running(**STUCK, max_in_flight=1) as service:
        await service.fill()
        assert_problem(await service.call("GET", path)(), 503, "concurrency_limit")


async def test_refusals_are_booked_once_each():
    """A caller shed at the door is received and rejected, whatever the check; reads never are."""
    async with running(**STUCK) as service:
        await service.fill()
        for _ in range(3):
            await service.order()()
        service.turn(client_max_in_flight=1)
        await service.order()()
        service.turn(client_max_in_flight=0, max_in_flight=1)
        await service.order()()
        await service.call("GET", "/items")()
        await service.call("PUT", "/orders")()
        books = service.books
        assert (books["received"], books["admitted"], books["rejected"]) == (6, 1, 5)
        metrics = (await service.client.get("/metrics")).text
        assert 'bpdemo_rejected_total{reason="queue_full"} 3.0' in metrics
        assert 'bpdemo_rejected_total{reason="client_limit"} 1.0' in metrics
        assert 'bpdemo_rejected_total{reason="concurrency_limit"} 1.0' in metrics


async def test_who_is_still_sending_is_waiting():
    """Between the door's verdict and the end of the body a caller stands in `waiting`."""
    async with running() as service:
        call = service.order(body=None)
        await until(lambda: service.books["waiting"] == 1)
        assert (service.books["received"], service.in_flight) == (1, 1)
        call.send(BODY, more=False)
        assert (await call()).status == 201
        service.assert_at_rest()


async def test_who_leaves_while_sending_was_never_there():
    """A hang-up in the middle of a body is answered by nothing, and taken out of the books."""
    async with running() as service:
        call = service.order(body=None)
        call.send(b"{", more=True)
        await until(lambda: service.books["waiting"] == 1)
        call.hang_up()
        assert (await call()).status is None
        assert service.books["received"] == 0
        service.assert_at_rest()


async def test_who_leaves_while_waiting_for_a_place_was_never_there():
    """Under block: taken out of the line and out of the books."""
    block = {"queue_policy": "block", "queue_block_timeout_s": 3600.0}
    async with running(**STUCK, **block) as service:
        await service.fill()
        call = service.order()
        await until(lambda: service.office._queue.waiting == 1)
        call.hang_up()
        assert (await call()).status is None
        assert (service.books["received"], service.office._queue.waiting) == (1, 0)


async def test_who_leaves_while_queued_is_abandoned():
    """Their work never starts: no charge for it, and `abandoned` counts them."""
    async with running(**(STUCK | {"queue_capacity": 5, "payment_latency_s": 0.1})) as service:
        working = await service.fill()
        leavers = [service.order() for _ in range(3)]
        await until(lambda: service.books["queued"] == 3)
        for call in leavers:
            call.hang_up()
        for call in leavers:
            assert (await call()).status is None
        assert service.office.queue_depth == 0
        assert (await working()).status == 201
        assert (service.books["abandoned"], service.books["success"]) == (3, 1)
        assert service.office.stats()["payments"]["charged"] == 1
        service.assert_at_rest()


async def test_who_leaves_while_being_served_changes_nothing():
    """The order is sold to somebody who is gone."""
    async with running(workers=1, payment_latency_s=0.05) as service:
        call = await service.fill()
        call.hang_up()
        assert (await call()).status is None
        assert service.books["running"] == 1
        await until(lambda: service.books["success"] == 1)
        service.assert_at_rest()


async def test_one_of_two_duplicates_may_leave():
    """The job is dropped only when both are gone; anyone who stays gets the order."""
    async with running(**(STUCK | {"queue_capacity": 5, "payment_latency_s": 0.05})) as service:
        working = await service.fill()
        twins = [service.order((b"idempotency-key", b"twin")) for _ in range(2)]
        await until(lambda: service.books["queued"] == 2)
        assert service.office.queue_depth == 1
        twins[0].hang_up()
        assert (await twins[0]()).status is None
        assert (await twins[1]()).status in (200, 201)
        assert (await working()).status == 201
        assert service.office.stats()["payments"]["charged"] == 2
        service.assert_at_rest()


async def test_the_naive_service_goes_on_for_those_who_left():
    """With drop_on_disconnect off a hang-up is not looked at."""
    knobs = STUCK | {"queue_capacity": 5, "payment_latency_s": 0.03}
    async with running(**knobs, drop_on_disconnect=False) as service:
        calls = [service.order() for _ in range(3)]
        await until(lambda: service.books["queued"] == 2)
        for call in calls:
            call.hang_up()
        await until(lambda: service.books["success"] == 3)
        await until(lambda: service.in_flight == 0)
        service.assert_at_rest()


@pytest.mark.parametrize("phase", ["sending", "waiting", "queued", "running", "reading"])
async def test_a_cancelled_request_leaves_nothing_behind(phase):
    """A server that cancels its requests at the end frees what they held, wherever they stood."""
    block = {"queue_policy": "block" if phase == "waiting" else "reject"}
    knobs = STUCK | block | {"queue_capacity": 1 if phase == "queued" else 0}
    knobs["queue_block_timeout_s"] = 3600.0
    if phase == "running":
        knobs["payment_latency_s"] = 0.05
    async with running(**knobs) as service:
        if phase in ("waiting", "queued"):
            await service.fill()
        if phase == "reading":
            service.turn(store_latency_s=3600.0)
            call = service.call("GET", "/items/1")
        else:
            call = service.order(body=None if phase == "sending" else BODY)
        inside = 2 if phase in ("waiting", "queued") else 1
        await until(lambda: service.in_flight == inside)
        if phase == "waiting":
            await until(lambda: service.office._queue.waiting == 1)
        elif phase in ("queued", "running"):
            await until(lambda: service.books[phase] == 1)
        call.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call.task
        assert service.in_flight == inside - 1
        assert service.office.intake.books.balanced
        assert (service.books["waiting"], service.books["queued"]) == (0, 0)
        assert service.books["abandoned"] == (1 if phase == "queued" else 0)
        if phase == "running":
            await until(lambda: service.books["success"] == 1)
            service.assert_at_rest()


async def test_no_task_outlives_its_request():
    """Nothing that was started for a request is left when it is over."""
    async with running() as service:
        before = len(asyncio.all_tasks())
        for _ in range(20):
            await service.order()()
        gone = service.order(body=None)
        gone.hang_up()
        await gone()
        await service.order(body=b"x")()
        await until(lambda: len(asyncio.all_tasks()) <= before)


@pytest.mark.parametrize(
    ("headers", "closes"),
    [
        ((), False),
        (((b"content-length", b"26"),), False),
        (((b"content-length", b"16384"),), False),
        (((b"content-length", b"16385"),), True),
        (((b"content-length", b"nonsense"),), False),
        (((b"transfer-encoding", b"chunked"),), True),
        (((b"expect", b"100-continue"), (b"content-length", b"26")), True),
    ],
)
async def test_which_refusals_end_the_connection(headers, closes):
    """Only where a body is on its way that would be taken for the next request, or is too long."""
    async with running(**STUCK) as service:
        await service.fill()
        answer = await service.order(*headers, body=None)()
        assert_problem(answer, 503, "queue_full")
        assert answer["connection"] == ("close" if closes else None)


@pytest.mark.parametrize("framing", [(b"transfer-encoding", b"chunked"), (b"expect", b"1")])
async def test_a_body_that_was_read_keeps_the_connection(framing):
    """Once the body has been read there is nothing to be out of step with, whatever the answer."""
    async with running() as service:
        assert (await service.order(framing)())["connection"] is None
        answer = await service.order(framing, body=b"no order")()
        assert (answer.status, answer["connection"]) == (422, None)


async def test_a_websocket_and_a_lifespan_pass_the_door():
    """The door judges HTTP only."""
    async with running() as service:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "websocket", "path": "/orders", "headers": [], "query_string": b""}
        await service.app(scope | {"root_path": "", "scheme": "ws"}, receive, send)
        assert sent[0]["type"] == "websocket.close"
