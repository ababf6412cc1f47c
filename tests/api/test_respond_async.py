"""`Prefer: respond-async`: who gets a 202, what stands in it, and what becomes of the rest."""

import asyncio
from typing import Any

import httpx
import pytest

from bpdemo.api.prefer import prefers_async
from bpdemo.core.errors import DependencyError
from bpdemo.core.model import Order
from tests.support.http import ORDER, STUCK, Service, assert_problem, running
from tests.support.postgres import connected, database_url, postgres_server

__all__ = ["database_url", "postgres_server"]

#: A busy machine must not turn an answer into a time-out.
PATIENT = {"attempt_timeout_s": 0.0, "request_timeout_s": 0.0, "pool_acquire_timeout_s": 0.0}
ASYNC = {"Prefer": "respond-async"}


def durable(url: str, **knobs):
    return running(**({"store": "postgres", "database_url": url} | PATIENT | knobs))


async def order(service: Service, key: str | None = "k", body=ORDER, **headers: str):
    keyed = {"Idempotency-Key": key} if key else {}
    return await service.client.post("/orders", json=body, headers=keyed | headers)


async def promise(service: Service, key: str | None = "k", body=ORDER) -> httpx.Response:
    return await order(service, key, body, **ASYNC)


async def test_a_202_promises_an_order(database_url: str) -> None:
    """Location, Preference-Applied and the order as it stands; asked for, it is the same."""
    async with durable(database_url) as service:
        answer = await promise(service)
        assert answer.status_code == 202
        told = answer.json()
        assert set(told) == {"id", "item_id", "quantity", "amount_cents", "status", "created_at"}
        assert (told["item_id"], told["quantity"], told["status"]) == (1, 1, "pending")
        assert answer.headers["location"] == f"/orders/{told['id']}"
        assert answer.headers["preference-applied"] == "respond-async"
        found = await service.client.get(answer.headers["location"])
        assert (found.status_code, found.json()) == (200, told)
        # Acknowledged, hence a success; nothing was charged, nothing is sold yet.
        assert (service.books["received"], service.books["success"]) == (1, 1)
        assert service.office.stats()["payments"]["charged"] == 0
        service.assert_at_rest()


async def test_it_needs_a_key(database_url: str) -> None:
    """422 names the header; the books never heard of them."""
    async with durable(database_url) as service:
        assert_problem(await promise(service, key=None), 422, "invalid_request", "Idempotency-Key")
        assert service.books["received"] == 0
        assert (await order(service, key=None)).status_code == 201


async def test_the_same_key_is_the_same_order(database_url: str) -> None:
    """202 while it is pending, however they ask; 422 for another body."""
    async with durable(database_url) as service:
        first = await promise(service)
        again, plainly = await promise(service), await order(service)
        assert [again.status_code, plainly.status_code] == [202, 202]
        assert again.json() == plainly.json() == first.json()
        assert "preference-applied" not in plainly.headers
        other = await promise(service, body={"item_id": 2, "quantity": 1})
        assert_problem(other, 422, "invalid_request", "Idempotency-Key")


async def test_a_key_that_was_sold_to_is_answered_with_the_sale(database_url: str) -> None:
    """200, and nothing is promised."""
    async with durable(database_url) as service:
        sold = await order(service)
        answer = await promise(service)
        assert (answer.status_code, answer.json()) == (200, sold.json())
        assert await service.assembly.backlog.depth() == 0


async def test_both_ways_at_once_across_services_are_one_order(database_url: str) -> None:
    """Ten keys, each sent to one service plainly and to another with the preference."""
    async with durable(database_url) as one, durable(database_url) as other:
        for number in range(10):
            plain, preferred = await asyncio.gather(
                order(one, f"k{number}"), promise(other, f"k{number}")
            )
            assert plain.status_code in (201, 202)
            assert preferred.status_code in (200, 202)
            assert plain.json()["id"] == preferred.json()["id"]
        # Anyone who lost to a promise was charged, and got their money back.
        paid = one.office.stats()["payments"]
        async with connected(database_url) as look:
            assert await look.fetchval("SELECT count(*) FROM claims") == 10
            sold = await look.fetchval("SELECT count(*) FROM orders")
        assert paid["charged"] - paid["refunded"] == sold


async def test_services_with_one_seed_mint_ids_of_their_own(database_url: str) -> None:
    """Or else a customer of one would be given the order of another's."""
    async with durable(database_url, seed=5) as one, durable(database_url, seed=5) as other:
        answers = [await order(one, "a"), await order(other, "b")]
        answers += [await promise(one, "c"), await promise(other, "d")]
    assert [answer.status_code for answer in answers] == [201, 201, 202, 202]
    assert len({answer.json()["id"] for answer in answers}) == 4


async def test_duplicates_in_flight_join(database_url: str) -> None:
    """Five at once: one promise, five times 202."""
    async with durable(database_url) as service:
        answers = await asyncio.gather(*(promise(service) for _ in range(5)))
        assert [answer.status_code for answer in answers] == [202] * 5
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert service.books["success"] == 5


async def test_beyond_the_bound_it_is_503_with_advice(database_url: str) -> None:
    """`queue_full`, a failure in the books; the knob is live, repeats need no room."""
    async with durable(database_url, async_queue_capacity=1) as service:
        first = await promise(service, "a")
        assert_problem(await promise(service, "b"), 503, "queue_full")
        assert (await promise(service, "a")).json() == first.json()
        assert (await order(service, "c")).status_code == 201
        service.turn(async_queue_capacity=2)
        assert (await promise(service, "b")).status_code == 202
        assert service.books["failure"] == 1
        assert service.office.intake.books.balanced


async def test_what_cannot_be_promised_is_said_at_once(database_url: str) -> None:
    """An unknown item, and one that is sold out."""
    async with durable(database_url, initial_stock=0) as service:
        unknown = await promise(service, body={"item_id": 101, "quantity": 1})
        assert_problem(unknown, 422, "invalid_request", "item_id")
        assert_problem(await promise(service), 409, "sold_out")
        assert await service.assembly.backlog.depth() == 0


async def test_a_failed_order_tells_its_reason(database_url: str) -> None:
    """`GET` says why; the key makes a new one."""
    async with durable(database_url) as service:
        first = await promise(service)
        await service.assembly.backlog.fail(first.json()["id"], "sold_out")
        told = (await service.client.get(first.headers["location"])).json()
        assert told == first.json() | {"status": "failed", "reason": "sold_out"}
        again = await promise(service)
        assert again.status_code == 202
        assert again.json()["id"] != first.json()["id"]


async def test_it_passes_the_door_like_any_other(database_url: str) -> None:
    """No place, no promise: the refusal comes before the database is asked."""
    async with durable(database_url, **STUCK) as service:
        call = await service.fill()
        assert_problem(await promise(service), 503, "queue_full")
        assert service.books["rejected"] == 1
        call.hang_up()


async def test_a_store_that_is_down_is_no_promise(database_url: str) -> None:
    """503, and the knobs of the store's faults hold for the backlog too."""
    async with durable(database_url, retry_attempts=1) as service:
        assert (await promise(service, "a")).status_code == 202  # and the item is in the cache
        service.turn(store_outage=True)
        assert_problem(await promise(service), 503, "downstream_failed")
        service.turn(store_outage=False)
        assert (await promise(service)).status_code == 202
        assert await service.assembly.backlog.depth() == 2


async def test_lost_answers_make_no_second_promise(database_url: str) -> None:
    """Half of all calls of the store fail, some after they were done: one order for each key."""
    knobs = {"retry_attempts": 20, "retry_base_s": 0.0, "retry_budget_enabled": False}
    calm = {"breaker_enabled": False, "store_failure_rate": 0.5}
    async with durable(database_url, **knobs, **calm) as service:
        answers = [await promise(service, f"k{number}") for number in range(20)]
        assert [answer.status_code for answer in answers] == [202] * 20
        service.turn(store_failure_rate=0.0)
        assert await service.assembly.backlog.depth() == 20


async def test_what_failed_before_its_answer_was_heard_is_not_told_as_sold(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The promise is made, its answer lost, and a worker fails the order before the second try:
    202 and where to ask, with the reason in it; never 201."""
    async with durable(database_url, retry_attempts=2, retry_base_s=0.0) as service:
        backlog = service.assembly.backlog
        accept = backlog.accept
        lost: list[Any] = []

        async def lose_first(order: Order, capacity: int) -> Order:
            promised = await accept(order, capacity)
            if not lost:
                lost.append(promised)
                await backlog.fail(order.id, "sold_out")
                raise DependencyError
            return promised

        monkeypatch.setattr(backlog, "accept", lose_first)
        answer = await promise(service)
        assert (answer.status_code, answer.json()["id"]) == (202, lost[0].id)
        assert (answer.json()["status"], answer.json()["reason"]) == ("failed", "sold_out")
        assert answer.headers["location"] == f"/orders/{lost[0].id}"


async def test_in_memory_the_preference_is_ignored() -> None:
    """As RFC 7240 allows: 201, sold, no header that says it was applied."""
    async with running() as service:
        answer = await promise(service)
        assert (answer.status_code, answer.json()["status"]) == (201, "confirmed")
        assert "preference-applied" not in answer.headers
        assert (await promise(service, key=None)).status_code == 201


async def test_other_routes_and_preferences_are_untouched(database_url: str) -> None:
    """Who prefers something else waits; who reads is served as ever."""
    async with durable(database_url) as service:
        for prefer in ("wait=10", "return=minimal", "respond-async-not", 'x="respond-async"', ""):
            answer = await order(service, prefer, Prefer=prefer) if prefer else await order(service)
            assert answer.status_code == 201, prefer
        for path in ("/items", "/items/1", "/stats", "/healthz"):
            assert (await service.client.get(path, headers=ASYNC)).status_code == 200
            assert (await service.client.head(path, headers=ASYNC)).status_code == 200


@pytest.mark.parametrize(
    ("lines", "wants"),
    [
        (["respond-async"], True),
        (["Respond-Async"], True),
        (["wait=10, respond-async"], True),
        (["respond-async, wait=10"], True),
        (["wait=10", "respond-async"], True),
        (["respond-async; wait=5"], True),
        (['respond-async=""'], True),
        (['foo="a, b"; x=1 , respond-async'], True),
        (['foo="respond-async"'], False),
        (['foo="a, respond-async, b"'], False),
        (['foo="a\\", respond-async"'], False),
        (['foo="never closed, respond-async'], False),
        (["respond-asynchronously"], False),
        (["", ",,,", "=", ";"], False),
        (["räspond-async"], False),
    ],
)
def test_the_header_is_read_as_the_rfc_has_it(lines: list[str], wants: bool) -> None:
    """Names in any case, several lines, values in quotes; nonsense is ignored."""
    headers = [(b"prefer", line.encode()) for line in lines]
    assert prefers_async([(b"host", b"here"), *headers]) is wants


def test_sixty_thousand_odd_bytes_are_read_in_no_time() -> None:
    """The work grows with the length of the header, not faster."""
    for odd in (b'"', b" , ", b'="\\', b'\\"', b" ", b";"):
        assert not prefers_async([(b"prefer", odd * (60_000 // len(odd)))])


async def test_the_document_tells_of_it() -> None:
    """OpenAPI has the header, the 202 with its headers, and the states of an order."""
    async with running() as service:
        document = (await service.client.get("/openapi.json")).json()
    place = document["paths"]["/orders"]["post"]
    assert "Prefer" in [parameter["name"] for parameter in place["parameters"]]
    assert {"Location", "Preference-Applied"} <= set(place["responses"]["202"]["headers"])
    states = document["components"]["schemas"]["OrderOut"]["properties"]["status"]["enum"]
    assert set(states) == {"confirmed", "pending", "failed"}
