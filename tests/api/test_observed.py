"""What an answer tells of itself: ids, times, metrics, spans, log lines."""

import asyncio
import json
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.http import BODY, STUCK, running
from tests.support.waiting import until


async def answered(service) -> dict[tuple[str, str, str], float]:
    """How many answers were counted, by method, route and status."""
    text = (await service.client.get("/metrics")).text
    return {
        (s.labels["method"], s.labels["route"], s.labels["status"]): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
        if s.name == "bpdemo_http_request_seconds_count"
    }


async def test_answers_are_counted_by_template():
    """Labels come from a closed set: no path, id or invented method ever becomes one."""
    async with running() as service:
        for path in ("/items/1", "/items/2", "/items/abc", "/secret", "/items/1/2", "/docs/x"):
            await service.call("GET", path)()
        await service.call("HEAD", "/items/1")()
        await service.call("BREW", "/items")()
        await service.call("BREW", "/coffee")()
        await service.order()()
        await service.order(body=b"")()
        counts = await answered(service)
        assert counts == {
            ("GET", "/items/{id}", "200"): 2,
            ("GET", "/items/{id}", "422"): 1,
            ("GET", "other", "404"): 3,
            ("HEAD", "/items/{id}", "200"): 1,
            ("other", "/items", "405"): 1,
            ("other", "other", "404"): 1,
            ("POST", "/orders", "201"): 1,
            ("POST", "/orders", "422"): 1,
        }


async def test_refusals_and_leavers_are_counted_too():
    """A refusal has its status, a caller who left 499."""
    async with running(**(STUCK | {"queue_capacity": 1})) as service:
        await service.fill()
        queued = service.order()
        await until(lambda: service.books["queued"] == 1)
        await service.order()()
        queued.hang_up()
        await queued()
        counts = await answered(service)
        assert counts["POST", "/orders", "503"] == 1
        assert counts["POST", "/orders", "499"] == 1


async def test_the_exposition_parses_and_has_the_names_of_the_contract():
    """Every metric that dashboards hold on to is there from the start."""
    async with running() as service:
        text = (await service.client.get("/metrics")).text
    samples = {s.name for f in text_string_to_metric_families(text) for s in f.samples}
    wanted = """queue_depth queue_capacity workers workers_busy in_flight admitted_total
        rejected_total jobs_total attempts_total retries_total retries_denied_total breaker_state
        breaker_transitions_total queue_wait_seconds_count service_seconds_count
        cache_requests_total pool_wait_seconds_count event_loop_lag_seconds_count"""
    assert {f"bpdemo_{name}" for name in wanted.split()} <= samples


async def test_every_answer_has_an_id_of_its_own():
    """Ids differ from request to request and are made of harmless letters; yours is not echoed."""
    async with running() as service:
        ids = set()
        for path in ("/", "/healthz", "/items/1", "/nothing", "/items/x"):
            answer = await service.call("GET", path, headers=[(b"x-request-id", b"mine")])()
            ids.add(answer["x-request-id"])
        assert len(ids) == 5
        assert all(re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]+", one) for one in ids)


async def test_two_services_have_different_ids():
    """Also with the same seed: an id must point to one request in the logs of many processes."""
    async with running(seed=1) as one, running(seed=1) as other:
        first, second = await one.call("GET", "/")(), await other.call("GET", "/")()
        assert first["x-request-id"].split("-")[0] != second["x-request-id"].split("-")[0]


#: Milliseconds of a payment that takes 50: after a late one the next aims short, by a tenth of it.
AT_LEAST_50 = 47
TIMING = re.compile(r"queue;dur=(\d+\.\d), service;dur=(\d+\.\d)")


async def test_admitted_answers_tell_their_times():
    """Server-Timing has the time in the queue and in service, in milliseconds."""
    async with running(workers=1, payment_latency_s=0.05) as service:
        first, second = await asyncio.gather(service.order()(), service.order()())
        times = [[float(ms) for ms in TIMING.fullmatch(a["server-timing"]).groups()] for a in
                 (first, second)]  # fmt: skip
        assert times[0][0] < AT_LEAST_50 < times[0][1]
        assert times[1][0] > AT_LEAST_50
        assert times[1][1] > AT_LEAST_50


async def test_failed_orders_tell_their_times_too():
    """A no after admission has them, a no before it does not, nor has any other route."""
    async with running(initial_stock=0) as service:
        assert TIMING.fullmatch((await service.order()())["server-timing"])
        assert (await service.order(body=b"")())["server-timing"] is None
        assert (await service.call("GET", "/items/1")())["server-timing"] is None
        service.turn(max_in_flight=1)
        await service.office.drain(0.0)
        assert (await service.order()())["server-timing"] is None


async def test_one_log_line_per_admitted_order():
    """It has the id that the answer had; nothing the caller sent can forge a line."""
    async with running() as service:
        answer = await service.order((b"x-client-id", b'a", "outcome": "b'))()
        await service.order(body=b'{"item_id": 1, "quantity": 1, "a\\nb": 1}')()
        lines = [json.loads(line) for line in service.log.getvalue().splitlines()]
        orders = [line for line in lines if line["event"] == "order"]
        assert [line["request_id"] for line in orders] == [answer["x-request-id"]]
        assert orders[0]["outcome"] == "success"


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("body", "status"), [(BODY, 201), (b"x", 422), (b'{"item_id": 101, "quantity": 1}', 422)]
)
async def test_the_edge_span_knows_how_it_was_answered(body, status):
    """It continues the caller's trace and carries the status, also where the answer was a no."""
    async with running(traces="memory") as service:
        parent = (b"traceparent", f"00-{TRACE}-00f067aa0ba902b7-01".encode())
        answer = await service.order(parent, body=body)()
        spans = {span.name: span for span in service.app.state.telemetry.tracer.finished()}
        edge = spans["POST /orders"]
        assert answer.status == edge.attributes["status"] == status
        assert edge.trace_id == TRACE
        assert edge.attributes["request_id"] == answer["x-request-id"]
        assert edge.status == "ok"


async def test_in_flight_is_nought_after_anything():
    """The gauge and the books return to rest after yes, no, nonsense and hang-ups alike."""
    async with running(workers=2, payment_latency_s=0.01, queue_capacity=3) as service:
        calls = [service.order(body=body) for body in (BODY, b"x", b"", BODY) * 10]
        calls += [service.call("GET", path) for path in ("/items/1", "/items/x", "/orders/y") * 5]
        for number, call in enumerate(calls):
            if number % 3 == 0:
                call.hang_up()
        await asyncio.gather(*(call() for call in calls))
        await until(lambda: service.books["running"] == 0)
        service.assert_at_rest()
