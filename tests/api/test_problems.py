"""Every reason a service may give: its status, its shape, and when to come back."""

import asyncio

import pytest

from bpdemo.api.problems import Problems
from bpdemo.core import errors
from bpdemo.core.errors import BoxOfficeError, DependencyError, QueueFull, Refused
from bpdemo.core.reasons import PROBLEMS
from tests.support.http import ORDER, STUCK, assert_problem, running
from tests.support.sabotage import Sabotage
from tests.support.waiting import until

CONTRACT = {
    "client_limit": 429,
    **dict.fromkeys(
        (
            *("concurrency_limit", "queue_full", "queue_timeout", "would_expire", "queue_shed"),
            *("circuit_open", "pool_exhausted", "draining", "downstream_failed"),
        ),
        503,
    ),
    "outcome_unknown": 504,
    "deadline_exceeded": 504,
    "invalid_request": 422,
    "sold_out": 409,
    "not_found": 404,
    "method_not_allowed": 405,
    "read_timeout": 408,
    "too_large": 413,
    "forbidden": 403,
    "internal_error": 500,
}


def test_each_reason_has_the_status_of_the_contract():
    """The table of reasons is the contract's, no more and no less."""
    assert {reason: status for reason, (status, _) in PROBLEMS.items()} == CONTRACT


def every_error() -> list[BoxOfficeError]:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, BoxOfficeError) and kind is not Refused
    ]
    named = (errors.InvalidRequest, errors.SettingsInvalid)
    return [kind("workers", "is odd") if kind in named else kind() for kind in kinds]


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
def test_every_error_can_be_said(error):
    """Whatever error reaches the edge becomes its problem; 429 and 503 say when to come back."""
    problem = Problems(lambda refused: 7).of(error)
    assert problem.status == CONTRACT[error.reason]
    headers = dict(problem.headers)
    assert (headers.get(b"retry-after") == b"7") == (problem.status in (429, 503))
    assert headers[b"content-length"] == b"%d" % len(problem.body)


def test_a_foreign_error_tells_nothing():
    """An error that is not ours becomes a 500 without a word of what it was."""
    problem = Problems(lambda refused: 1).of(KeyError("the secret"))
    assert problem.status == 500
    assert b"secret" not in problem.body


def test_a_bare_dependency_error_still_says_when_to_come_back():
    """Were one to slip past the retries, it would be a 503 like the others."""
    problem = Problems(lambda refused: 3).of(DependencyError("x"))
    assert (problem.status, dict(problem.headers)[b"retry-after"]) == (503, b"3")


def test_bodies_are_not_mixed_up():
    """The bodies made once belong to their detail, and an own detail is said as it is."""
    problems = Problems(lambda refused: 1)
    usual, own = problems.of(QueueFull()), problems.of(QueueFull("Not today."))
    assert usual.body != own.body
    assert problems.of(QueueFull()).body == usual.body
    assert problems.of(QueueFull()).headers is not usual.headers  # the door adds to them


async def test_client_limit():
    """A client over its share gets 429, and another client does not."""
    async with running(**STUCK, client_max_in_flight=1) as service:
        mine = service.order((b"x-client-id", b"me"))
        await until(lambda: service.in_flight == 1)
        assert_problem(await service.order((b"x-client-id", b"me"))(), 429, "client_limit")
        assert_problem(await service.order((b"x-client-id", b"you"))(), 503, "queue_full")
        mine.hang_up()
        mine.task.cancel()


async def test_concurrency_limit():
    """The edge limit refuses reads and orders alike."""
    async with running(**STUCK, max_in_flight=1) as service:
        await service.fill()
        assert_problem(await service.client.get("/items/1"), 503, "concurrency_limit")
        assert_problem(await service.client.post("/orders", json=ORDER), 503, "concurrency_limit")
        assert_problem(await service.client.get("/orders/x"), 503, "concurrency_limit")


async def test_queue_full():
    """No idle worker and no queue: refused at once."""
    async with running(**STUCK) as service:
        await service.fill()
        assert_problem(await service.client.post("/orders", json=ORDER), 503, "queue_full")


async def test_queue_timeout_and_too_many_waiters():
    """Under block one may wait for a place, in vain; the next is refused at once."""
    block = {"queue_policy": "block", "queue_block_timeout_s": 0.1, "queue_block_waiters": 1}
    async with running(**STUCK, **block) as service:
        await service.fill()
        first = service.order()
        await until(lambda: service.books["waiting"] == 1)
        await asyncio.sleep(0)
        await until(lambda: service.office._queue.waiting == 1)
        assert_problem(await service.order()(), 503, "queue_full")
        assert_problem(await first(), 503, "queue_timeout")
        assert service.books["waiting"] == 0
        assert service.books["rejected"] == 2


async def test_would_expire_at_the_door():
    """An order that cannot be finished in time is not let in, and the answer says so."""
    async with running(workers=1, payment_latency_s=60.0, attempt_timeout_s=0.0) as service:
        service.turn(request_timeout_s=0.0)
        await service.fill()
        patience = {"x-request-timeout-ms": "50"}
        answer = await service.client.post("/orders", json=ORDER, headers=patience)
        assert_problem(answer, 503, "would_expire")
        assert "finished" in answer.json()["detail"]


async def test_queue_shed():
    """CoDel drops what waited too long in a standing queue: 503 after admission."""
    codel = {
        "queue_discipline": "codel",
        "codel_target_s": 0.001,
        "codel_interval_s": 0.01,
        "queue_capacity": 100,
    }
    async with running(workers=1, payment_latency_s=0.02, **codel) as service:
        answers = await asyncio.gather(
            *(service.client.post("/orders", json=ORDER) for _ in range(40))
        )
        shed = [answer for answer in answers if answer.status_code == 503]
        assert shed
        for answer in shed:
            assert_problem(answer, 503, "queue_shed")
            assert answer.headers["server-timing"].startswith("queue;dur=")
        assert service.books["shed"] == len(shed)
        service.assert_at_rest()


async def test_circuit_open():
    """With the payment's breaker open orders are refused at the door, until it half-opens."""
    knobs = {"breaker_min_calls": 1, "retry_attempts": 1, "breaker_open_s": 5.0}
    async with running(payment_outage=True, **knobs) as service:
        answer = await service.client.post("/orders", json=ORDER)
        assert_problem(answer, 503, "downstream_failed")
        answer = await service.client.post("/orders", content=b"no JSON at all")
        assert_problem(answer, 503, "circuit_open")
        assert int(answer.headers["retry-after"]) >= 5
        assert (await service.client.get("/items/1")).status_code == 200


async def test_draining():
    """A service that drains refuses what is limited, and closes the connection."""
    async with running() as service:
        await service.office.drain(0.0)
        for method, path in (("POST", "/orders"), ("GET", "/items"), ("GET", "/items/1")):
            answer = await service.call(method, path)()
            assert_problem(answer, 503, "draining")
            assert answer["connection"] == "close"
        assert service.books["rejected"] == service.books["received"] == 1


async def test_downstream_failed():
    """Attempts used up: 503, and a failure in the books, not a refusal."""
    async with running(payment_failure_rate=1.0, retry_attempts=2, retry_base_s=0.0) as service:
        answer = await service.client.post("/orders", json=ORDER)
        assert_problem(answer, 503, "downstream_failed")
        assert service.books["failure"] == service.books["admitted"] == 1


@pytest.mark.parametrize("key", [None, "k"])
async def test_outcome_unknown(key):
    """The store did it, and lost its answer and that of the void: 504 without Retry-After.

    Without a key it is taken back, and its id is a 404; with one a repeat finds it.
    """
    headers = {"Idempotency-Key": key} if key else {}
    async with running(retry_attempts=1) as service:
        sabotage = Sabotage(service.assembly.store, "place", "void", "take_back")
        sabotage.next("place", "lost")
        sabotage.next("void", "failed")
        sabotage.next("take_back", "failed")
        answer = await service.client.post("/orders", json=ORDER, headers=headers)
        assert_problem(answer, 504, "outcome_unknown")
        assert service.books["failure"] == service.books["admitted"] == 1
        (order,) = service.assembly.bare_store.orders
        await until(lambda: not service.office._debts.owed)
        status = (await service.client.get(f"/orders/{order.id}")).status_code
        again = await service.client.post("/orders", json=ORDER, headers=headers)
        assert (status, again.status_code) == ((200, 200) if key else (404, 201))
        paid = service.office.stats()["payments"]
        assert paid["charged"] - paid["refunded"] == 1


async def test_deadline_exceeded_while_running():
    """Their time runs out while the payment is on: 504 on time, and the work goes on."""
    # Long enough for a busy machine to let them in before their time is over.
    async with running(workers=1, payment_latency_s=0.8, attempt_timeout_s=0) as service:
        answer = await service.client.post(
            "/orders", json=ORDER, headers={"x-request-timeout-ms": "400"}
        )
        # The estimate (nobody ahead) lets them in: a worker is idle.
        assert_problem(answer, 504, "deadline_exceeded")
        assert service.books["running"] == 1
        await until(lambda: service.books["expired"] == 1)
        paid = service.office.stats()["payments"]
        assert paid == {"charged": 1, "refunded": 0}
        service.assert_at_rest()


async def test_deadline_exceeded_while_reading():
    """Reading obeys the caller's patience too."""
    async with running(store_latency_s=5.0) as service:
        for path in ("/items", "/items/1", "/orders/x"):
            answer = await service.client.get(path, headers={"x-request-timeout-ms": "30"})
            assert_problem(answer, 504, "deadline_exceeded")
        assert service.in_flight == 0


async def test_sold_out():
    """More than there is: 409, the money back, and the item says so."""
    async with running(initial_stock=1) as service:
        answer = await service.client.post("/orders", json={"item_id": 1, "quantity": 2})
        assert_problem(answer, 409, "sold_out")
        assert (await service.client.post("/orders", json=ORDER)).status_code == 201
        assert_problem(await service.client.post("/orders", json=ORDER), 409, "sold_out")
        assert (await service.client.get("/items/1")).json()["in_stock"] is False
        paid = service.office.stats()["payments"]
        assert paid["charged"] - paid["refunded"] == 1
        assert service.books["failure"] == 2


async def test_an_unknown_item_is_a_failure_before_any_charge():
    """An order for an item that does not exist is admitted, fails with 422, and costs nothing."""
    async with running() as service:
        answer = await service.client.post("/orders", json={"item_id": 101, "quantity": 1})
        assert_problem(answer, 422, "invalid_request", "item_id")
        assert service.books["failure"] == service.books["admitted"] == 1
        assert service.office.stats()["payments"]["charged"] == 0


async def test_a_key_with_another_body_is_422():
    """The key names the field at fault, in flight and afterwards; both are failures."""
    async with running(payment_latency_s=0.05) as service:
        key = {"idempotency-key": "mine"}
        first, other = await asyncio.gather(
            service.client.post("/orders", json=ORDER, headers=key),
            service.client.post("/orders", json={"item_id": 2, "quantity": 1}, headers=key),
        )
        later = await service.client.post(
            "/orders", json={"item_id": 1, "quantity": 2}, headers=key
        )
        assert first.status_code == 201
        assert_problem(other, 422, "invalid_request", "Idempotency-Key")
        assert_problem(later, 422, "invalid_request", "Idempotency-Key")
        assert (service.books["success"], service.books["failure"]) == (1, 2)


async def test_a_bug_is_a_500_that_tells_nothing(monkeypatch):
    """What nobody foresaw is one problem to the caller and one traceback in the log."""
    async with running() as service:

        async def broken(*_: object) -> None:
            raise ZeroDivisionError("the secret")

        monkeypatch.setattr(service.office.catalogue, "find_order", broken)
        answer = await service.call("GET", "/orders/x")()
        assert_problem(answer, 500, "internal_error")
        assert b"secret" not in answer.body
        assert service.in_flight == 0
        assert "ZeroDivisionError" in service.log.getvalue()
        assert answer["x-request-id"] in service.log.getvalue()


async def test_a_bug_in_the_work_is_a_500_and_a_failure(monkeypatch):
    """The worker survives it, the caller gets a problem, the books count a failure."""
    async with running(workers=1) as service:

        async def broken(*_: object) -> None:
            raise ZeroDivisionError("the secret")

        with monkeypatch.context() as patch:
            patch.setattr(service.assembly.bare_store, "find_item", broken)
            answer = await service.client.post("/orders", json=ORDER)
            assert_problem(answer, 500, "internal_error")
        assert service.books["failure"] == 1
        service.assert_at_rest()
        assert (await service.client.post("/orders", json=ORDER)).status_code == 201
