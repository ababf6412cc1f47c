"""Spans and exemplars, as the tools of the trade expect them."""

import pytest
from opentelemetry import baggage
from opentelemetry.semconv.attributes import (
    client_attributes,
    db_attributes,
    error_attributes,
    http_attributes,
    network_attributes,
    server_attributes,
    url_attributes,
)
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from bpdemo.telemetry.server_span import request_attributes
from tests.support.http import STUCK, Service, running
from tests.support.postgres import database_url, postgres_server

__all__ = ["database_url", "postgres_server"]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = (b"traceparent", f"00-{TRACE}-00f067aa0ba902b7-01".encode())
UNSAMPLED = (b"traceparent", f"00-{TRACE}-00f067aa0ba902b7-00".encode())
#: By the package that has the conventions' names; what we write out must be these.
SERVER = {
    http_attributes.HTTP_REQUEST_METHOD,
    http_attributes.HTTP_ROUTE,
    http_attributes.HTTP_RESPONSE_STATUS_CODE,
    url_attributes.URL_PATH,
    url_attributes.URL_SCHEME,
    server_attributes.SERVER_ADDRESS,
    client_attributes.CLIENT_ADDRESS,
    network_attributes.NETWORK_PROTOCOL_VERSION,
}


def spans_of(service: Service):
    return service.app.state.telemetry.tracer.finished()


async def served(service: Service, method: str, path: str, **kwargs):
    """The server span of that one request."""
    before = len(spans_of(service))
    answer = await service.call(method, path, **kwargs)()
    (span,) = [span for span in spans_of(service)[before:] if span.kind == "server"]
    return answer, span


async def test_a_server_span_tells_what_the_conventions_ask_for():
    """Each name is the package's own, each value that of the request."""
    async with running(traces="memory") as service:
        answer, span = await served(service, "GET", "/items/7", headers=[CALLER])
        told = span.attributes
        assert set(told) >= SERVER
        assert told["http.request.method"] == "GET"
        assert told["http.route"] == "/items/{id}"
        assert told["url.path"] == "/items/7"
        assert told["url.scheme"] == "http"
        assert told["http.response.status_code"] == answer.status == 200
        assert told["client.address"] == "127.0.0.1"
        assert (span.name, span.trace_id) == ("GET /items/{id}", TRACE)


NO_ERRORS = {
    "404": ("GET", "/items/999", {}, "not_found"),
    "405": ("DELETE", "/items/1", {}, "method_not_allowed"),
    "422": ("POST", "/orders", {"body": b"x"}, "invalid_request"),
}


@pytest.mark.parametrize("case", NO_ERRORS)
async def test_a_callers_mistake_is_no_error_of_ours(case):
    """A 4xx leaves the status of a server span alone."""
    method, path, more, reason = NO_ERRORS[case]
    async with running(traces="memory") as service:
        answer, span = await served(service, method, path, **more)
        assert answer.status == span.attributes["http.response.status_code"] == int(case)
        assert span.status == "ok"
        assert error_attributes.ERROR_TYPE not in span.attributes
        assert span.attributes.get("bpdemo.reason", reason) == reason


async def test_an_invented_method_is_not_a_name():
    """A caller must not grow the number of operations that a backend lists."""
    async with running(traces="memory") as service:
        _, span = await served(service, "BREW", "/items")
        assert span.name == "HTTP /items"
        assert span.attributes[http_attributes.HTTP_REQUEST_METHOD] == "_OTHER"
        assert span.attributes[http_attributes.HTTP_REQUEST_METHOD_ORIGINAL] == "BREW"


@pytest.mark.parametrize("method", ['B"RW', "B" * 300, "", "B W", "Bé"])
def test_a_method_that_is_no_word_is_not_repeated(method):
    """As a path is not; one that is known needs no original."""
    scope = {"path": "/items", "headers": []}
    for each in (method, "GET"):
        told = request_attributes(each, "/items", "id", scope)
        assert http_attributes.HTTP_REQUEST_METHOD_ORIGINAL not in told


#: Authority and scheme, and the server that they name; None: where we listen.
AUTHORITIES = {
    ("shop.example", "http"): ("shop.example", 80),
    ("shop.example", "https"): ("shop.example", 443),
    ("shop.example:8080", "https"): ("shop.example", 8080),
    ("shop.example:", "http"): ("shop.example", 80),
    ("127.0.0.1:1", "http"): ("127.0.0.1", 1),
    ("[::1]:99", "http"): ("::1", 99),
    ("[::1]", "http"): ("::1", 80),
    ('a"b', "http"): None,
    ("a,b", "http"): None,
    ("x" * 300, "http"): None,
    ("", "http"): None,
}


@pytest.mark.parametrize(("authority", "scheme"), AUTHORITIES)
def test_the_server_is_the_one_that_the_caller_asked_for(authority, scheme):
    """By the Host header; by the socket where that is missing, or nothing to repeat."""
    scope = {"path": "/items", "scheme": scheme, "server": ("10.0.0.9", 4711)}
    for headers, named in (
        ([(b"host", authority.encode())], AUTHORITIES[authority, scheme]),
        ([], None),
    ):
        told = request_attributes("GET", "/items", "id", scope | {"headers": headers})
        found = told[server_attributes.SERVER_ADDRESS], told[server_attributes.SERVER_PORT]
        assert found == (named or ("10.0.0.9", 4711))


def test_a_socket_of_unix_has_no_port():
    """Then a span has none, too."""
    scope = {"path": "/items", "server": ("/run/shop", None), "headers": []}
    assert server_attributes.SERVER_PORT not in request_attributes("GET", "/items", "id", scope)


@pytest.mark.parametrize("method", ["GET", "POST", "BREW"])
@pytest.mark.parametrize("path", ["/orders\n", "/items/1/2", "/orders/a/b", "/items/"])
async def test_what_is_not_found_behind_the_gate_has_a_span(path, method):
    """As a method that is not allowed there has."""
    async with running(traces="memory") as service:
        answer, span = await served(service, method, path, headers=[CALLER])
        assert answer.status == span.attributes["http.response.status_code"] == 404
        assert (span.trace_id, span.status) == (TRACE, "ok")
        assert span.attributes["bpdemo.reason"] == "not_found"


@pytest.mark.parametrize(
    "path", ['/orders/a","event":"forged', "/items/a\nb", "/items/" + "x" * 300]
)
async def test_a_path_that_is_none_of_ours_is_not_repeated(path):
    """Nothing that a caller wrote stands in a span but a plain path; its route does."""
    async with running(traces="memory") as service:
        _, span = await served(service, "DELETE", path)
        assert "url.path" not in span.attributes
        assert span.attributes["http.route"].endswith("/{id}")


async def test_a_shed_request_has_a_span_with_its_reason():
    """It is refused at the door, and in the trace of its caller all the same."""
    async with running(**(STUCK | {"traces": "memory"})) as service:
        await service.fill()
        answer, span = await served(service, "POST", "/orders", headers=[CALLER], body=b"{}")
        assert answer.status == 503
        assert span.trace_id == TRACE
        assert span.status == "error"
        assert span.attributes["bpdemo.reason"] == "queue_full"
        assert span.attributes[error_attributes.ERROR_TYPE] == "queue_full"


async def test_the_share_of_a_client_is_no_error():
    """429 is the caller's own doing."""
    async with running(**(STUCK | {"traces": "memory", "client_max_in_flight": 1})) as service:
        await service.fill()
        answer, span = await served(service, "POST", "/orders", body=b"{}")
        assert answer.status == 429
        assert (span.status, span.attributes["bpdemo.reason"]) == ("ok", "client_limit")


async def test_attempts_are_client_spans_with_their_number():
    """A retry is told from the first try; the dependency is named as a service map does."""
    knobs = {"payment_failure_rate": 1.0, "retry_attempts": 3, "retry_base_s": 0.0}
    async with running(traces="memory", breaker_enabled=False, **knobs) as service:
        answer = await service.order(CALLER)()
        assert answer.status == 503
        attempts = [s for s in spans_of(service) if s.name == "payment attempt"]
        assert [span.attributes["bpdemo.attempt"] for span in attempts[:3]] == [1, 2, 3]
        assert {span.kind for span in attempts} == {"client"}
        assert {span.attributes["peer.service"] for span in attempts} == {"payment"}
        assert {span.status for span in attempts[:3]} == {"error"}
        (edge,) = [span for span in spans_of(service) if span.kind == "server"]
        assert edge.attributes[error_attributes.ERROR_TYPE] == "downstream_failed"
        assert edge.status == "error"


async def test_a_statement_names_its_database(database_url: str):
    """System and operation, on the span of the attempt."""
    knobs = {"attempt_timeout_s": 0.0, "request_timeout_s": 0.0, "pool_acquire_timeout_s": 0.0}
    async with running(
        traces="memory", store="postgres", database_url=database_url, **knobs
    ) as service:
        assert (await service.order(CALLER)()).status == 201
        stores = [span for span in spans_of(service) if span.name == "store attempt"]
        assert {span.attributes[db_attributes.DB_SYSTEM_NAME] for span in stores} == {"postgresql"}
        assert stores[-1].attributes[db_attributes.DB_OPERATION_NAME] == "INSERT"
        assert {span.kind for span in stores} == {"client"}


async def test_a_memory_store_is_no_database():
    """Nothing is said of a system that is not there."""
    async with running(traces="memory") as service:
        await service.order(CALLER)()
        stores = [span for span in spans_of(service) if span.name == "store attempt"]
        assert stores
        assert not any(db_attributes.DB_SYSTEM_NAME in span.attributes for span in stores)


async def test_what_the_callers_tracing_carries_goes_all_the_way():
    """Through the queue and the worker to the call of the payment."""
    heard = []
    async with running(traces="memory") as service:
        provider, charge = service.assembly.provider, service.assembly.provider.charge

        async def listening(*args, **kwargs):
            heard.append(dict(baggage.get_all()))
            return await charge(*args, **kwargs)

        provider.charge = listening
        carried = [(b"tracestate", b"vendor=1,other=2"), (b"baggage", b"tenant=blue,tier=gold")]
        assert (await service.order(CALLER, *carried)()).status == 201
        assert heard == [{"tenant": "blue", "tier": "gold"}]
        assert {span.tracestate for span in spans_of(service)} == {"vendor=1,other=2"}


@pytest.mark.parametrize("value", [b"", b"=", b",,,", b"\xff\xfe", b"x" * 20_000, b"a=1," * 3000])
@pytest.mark.parametrize("name", [b"tracestate", b"baggage"])
async def test_what_cannot_be_read_is_carried_nowhere(name, value):
    """And costs the order nothing."""
    async with running(traces="memory") as service:
        assert (await service.order(CALLER, (name, value))()).status == 201


async def exposition(service: Service, accept: str) -> str:
    return (await service.client.get("/metrics", headers={"accept": accept})).text


OPENMETRICS = "application/openmetrics-text; version=1.0.0"


async def test_a_bucket_leads_to_a_trace():
    """Queue, service and request: each histogram shows the trace of an order in it."""
    async with running(traces="memory") as service:
        assert (await service.order(CALLER)()).status == 201
        families = text_string_to_metric_families(await exposition(service, OPENMETRICS))
        led = {
            family.name: sample.exemplar.labels
            for family in families
            for sample in family.samples
            if sample.exemplar
        }
        for name in ("queue_wait_seconds", "service_seconds", "http_request_seconds"):
            assert led[f"bpdemo_{name}"] == {"trace_id": TRACE}, name
        assert "# {" not in await exposition(service, "text/plain")


@pytest.mark.parametrize(("traces", "caller"), [("off", CALLER), ("memory", UNSAMPLED)])
async def test_a_trace_that_is_not_recorded_is_no_exemplar(traces, caller):
    """It would lead nowhere."""
    async with running(traces=traces) as service:
        await service.order(caller)()
        assert TRACE not in await exposition(service, OPENMETRICS)
