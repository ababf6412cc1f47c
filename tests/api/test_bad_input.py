"""Whatever is sent, the answer is a problem that names what is wrong, and never a 500."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.http import BODY, Answer, Service, assert_problem, running

DEEP = b"[" * 5000
BIG = "9" * 5000

BAD_ORDERS = {
    "empty": (b"", "body"),
    "blank": (b"  \n", "body"),
    "cut off": (b'{"item_id": 1', "body"),
    "no JSON": (b"item_id=1&quantity=1", "body"),
    "two documents": (BODY + BODY, "body"),
    "not UTF-8": (b'{"item_id": 1, "quantity": 1, "\xff": 1}', "body"),
    "UTF-16": (BODY.decode().encode("utf-16"), "body"),
    "a byte order mark": (b"\xef\xbb\xbf" + BODY, "body"),
    "NUL": (b"\x00", "body"),
    "NUL inside": (BODY + b"\x00", "body"),
    "a lone surrogate": (b'{"item_id": 1, "quantity": 1, "\\ud800": 1}', "body"),
    "null": (b"null", "body"),
    "a list": (b"[]", "body"),
    "a number": (b"1", "body"),
    "a string": (b'"order"', "body"),
    "deep lists": (DEEP, "body"),
    "deep objects": (b'{"item_id":' * 1000, "body"),
    "nothing in it": (b"{}", "item_id"),
    "no item": (b'{"quantity": 1}', "item_id"),
    "no quantity": (b'{"item_id": 1}', "quantity"),
    "item a bool": (b'{"item_id": true, "quantity": 1}', "item_id"),
    "item a float": (b'{"item_id": 1.0, "quantity": 1}', "item_id"),
    "item a text": (b'{"item_id": "1", "quantity": 1}', "item_id"),
    "item null": (b'{"item_id": null, "quantity": 1}', "item_id"),
    "item a list": (b'{"item_id": [1], "quantity": 1}', "item_id"),
    "item an object": (b'{"item_id": {"a": 1}, "quantity": 1}', "item_id"),
    "item 0": (b'{"item_id": 0, "quantity": 1}', "item_id"),
    "item -1": (b'{"item_id": -1, "quantity": 1}', "item_id"),
    "item beyond a column": (b'{"item_id": 2147483648, "quantity": 1}', "item_id"),
    "item huge": (b'{"item_id": 1e308, "quantity": 1}', "item_id"),
    "item vast": (f'{{"item_id": {"9" * 400}, "quantity": 1}}'.encode(), "item_id"),
    "item NaN": (b'{"item_id": NaN, "quantity": 1}', None),
    "item infinite": (b'{"item_id": 1, "quantity": Infinity}', None),
    "item endless": (f'{{"item_id": {BIG}, "quantity": 1}}'.encode(), None),
    "quantity 0": (b'{"item_id": 1, "quantity": 0}', "quantity"),
    "quantity 101": (b'{"item_id": 1, "quantity": 101}', "quantity"),
    "quantity a bool": (b'{"item_id": 1, "quantity": false}', "quantity"),
    "quantity 1.5": (b'{"item_id": 1, "quantity": 1.5}', "quantity"),
    "unknown field": (b'{"item_id": 1, "quantity": 1, "price": 0}', "price"),
    "key in the body": (b'{"item_id": 1, "quantity": 1, "key": "x"}', "key"),
}


@pytest.mark.parametrize(("body", "field"), BAD_ORDERS.values(), ids=BAD_ORDERS)
async def test_a_bad_order_is_named_and_leaves_no_trace(body, field):
    """Each gets a 422 that names the field, and is taken out of the books."""
    async with running() as service:
        answer = await service.order(body=body)()
        problem = assert_problem(answer, 422, "invalid_request", answer.json()["field"])
        if field is not None:
            assert problem["field"] == field
        assert problem["detail"].startswith(problem["field"])
        assert service.books["received"] == 0
        service.assert_at_rest()


@pytest.mark.parametrize("body", [BODY, b" \n" + BODY + b"\n", b'{"quantity":1,"item_id":1}'])
async def test_a_good_order_in_any_dress(body):
    """White space and order of fields do not matter."""
    async with running() as service:
        assert (await service.order(body=body)()).status == 201


PRINTABLE = "1 to 255 printable characters"
BAD_HEADERS = [
    ("Idempotency-Key", [b""], PRINTABLE),
    ("Idempotency-Key", [b"   "], PRINTABLE),
    ("Idempotency-Key", [b"k" * 256], PRINTABLE),
    ("Idempotency-Key", [b"k\x00"], PRINTABLE),
    ("Idempotency-Key", [b"k\xff"], PRINTABLE),
    ("Idempotency-Key", ["schlüssel".encode()], PRINTABLE),
    ("Idempotency-Key", [b"a\tb"], PRINTABLE),
    ("Idempotency-Key", [b"a", b"a"], "twice"),
    ("X-Client-Id", [b""], PRINTABLE),
    ("X-Client-Id", [b"c" * 256], PRINTABLE),
    ("X-Client-Id", [b"c", b"d"], "twice"),
    *(
        ("X-Request-Timeout-Ms", [value], "3600000")
        for value in (
            *(b"", b"0", b"-1", b"+1", b"1.5", b"1e3", b"3600001", b"9" * 5000, b"abc", b"1 2"),
            *(b"0x10", "１".encode(), b"NaN", b"1_000", b"\x00"),
        )
    ),
    ("X-Request-Timeout-Ms", [b"100", b"100"], "twice"),
    *(
        ("X-Priority", [value], "0, 1, 2 or 3")
        for value in (b"", b"4", b"-1", b"01", b"high", b"1.0", b"\xb2")
    ),
    ("X-Priority", [b"1", b"2"], "twice"),
    *(
        ("traceparent", [value], "trace context")
        for value in (b"", b"00", b"00-" + b"0" * 32 + b"-" + b"1" * 16 + b"-01", b"\xff")
    ),
    ("traceparent", [b"x"] * 2, "trace context"),
]


@pytest.mark.parametrize(("name", "values", "wanted"), BAD_HEADERS)
@pytest.mark.parametrize("path", ["/orders", "/items", "/items/1", "/orders/x"])
async def test_an_unreadable_header_is_named(path, name, values, wanted):
    """On every limited route a header that cannot be read is a 422 that names it."""
    async with running() as service:
        headers = [(name.lower().encode(), value) for value in values]
        method, body = ("POST", BODY) if path == "/orders" else ("GET", b"")
        answer = await service.call(method, path, headers=headers, body=body)()
        problem = assert_problem(answer, 422, "invalid_request", name)
        assert wanted in problem["detail"]
        assert service.books["received"] == 0
        service.assert_at_rest()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"idempotency-key", b"k" * 255),
        (b"idempotency-key", b" padded "),
        (b"idempotency-key", b'"quoted"; and, more~'),
        (b"x-client-id", b"me"),
        (b"x-request-timeout-ms", b"3600000"),
        (b"x-request-timeout-ms", b"0005000"),
        (b"x-priority", b"0"),
        (b"x-priority", b"3"),
        (b"traceparent", b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"),
        (b"x-unknown", b"\xff\x00"),
    ],
)
async def test_readable_headers_are_taken(name, value):
    """The ends of each range, and headers that are not ours."""
    async with running() as service:
        assert (await service.order((name, value))()).status == 201


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *((f"limit={value}", "limit") for value in ("0", "101", "-1", "", "x", "1.0", "1e1", BIG)),
        *((f"after={value}", "after") for value in ("-1", "x", "", "2147483648", "%00", "%ff")),
        ("limit=1&limit=2", "limit"),
        ("after=1&after=1", "after"),
        ("limit=NaN", "limit"),
        ("limit=%EF%BC%91", "limit"),
    ],
)
async def test_a_bad_query_is_named(query, field):
    """Limit and after are whole numbers in their range, given once."""
    async with running() as service:
        answer = await service.call("GET", "/items", query=query.encode())()
        assert_problem(answer, 422, "invalid_request", field)


@pytest.mark.parametrize("item", ["0", "-1", "-0", "101", "2147483647", "2147483648", "9" * 5000])
async def test_an_unknown_item_is_404(item):
    """Every whole number is an id; most are not there."""
    async with running() as service:
        answer = await service.call("GET", f"/items/{item}")()
        assert_problem(answer, 404, "not_found")


@pytest.mark.parametrize(
    "item", ["x", "1.0", "+1", " 1", "1 ", "1\n", "-", "１", "²", "\x00", "1;"]
)
async def test_what_is_no_id_is_named(item):
    """Anything but a whole number cannot be read as the id of an item."""
    async with running() as service:
        answer = await service.call("GET", f"/items/{item}", raw_path=b"/")()
        assert_problem(answer, 422, "invalid_request", "id")


@pytest.mark.parametrize("order", ["x", "\x00", "é" * 300, "0" * 5000, "%", "..", "\ufffd", "a\nb"])
async def test_an_unknown_order_is_404(order):
    """Any text may be asked for as the id of an order."""
    async with running() as service:
        answer = await service.call("GET", f"/orders/{order}", raw_path=b"/")()
        assert_problem(answer, 404, "not_found")


async def test_a_body_too_large_by_its_own_word_is_not_read():
    """A length over the limit is 413 at once, closes the connection, and leaves the books."""
    async with running(max_body_bytes=100) as service:
        for length in (b"101", b"9" * 19, b"9" * 5000):
            answer = await service.order((b"content-length", length), body=None)()
            assert_problem(answer, 413, "too_large")
            assert answer["connection"] == "close"
        assert service.books["received"] == 0
        service.assert_at_rest()


async def test_a_chunked_body_is_read_up_to_the_limit():
    """Without a length a body is counted as it comes: one byte over is 413, the limit is fine."""
    async with running(max_body_bytes=100) as service:
        chunked = (b"transfer-encoding", b"chunked")
        for size, status in ((100, 201), (101, 413)):
            call = service.order(chunked, body=None)
            for start in range(0, size, 10):
                last = start + 10 >= size
                call.send(BODY.ljust(size)[start : start + 10], more=not last)
            answer = await call()
            assert answer.status == status
            assert (answer["connection"] == "close") == (status == 413)
        service.assert_at_rest()


async def test_a_slow_body_is_408():
    """A body that is not there in time is 408, closes the connection, and leaves the books."""
    async with running(read_timeout_s=0.05) as service:
        call = service.order((b"content-length", b"26"), body=None)
        call.send(b"{", more=True)
        answer = await call()
        assert_problem(answer, 408, "read_timeout")
        assert answer["connection"] == "close"
        assert service.books["received"] == 0
        service.assert_at_rest()


async def test_a_body_slower_than_ones_own_patience_is_a_refusal():
    """Their time runs out before they have a place: that is `would_expire`, and in the books."""
    async with running(read_timeout_s=5.0) as service:
        call = service.order((b"x-request-timeout-ms", b"40"), body=None)
        call.send(b"{", more=True)
        assert_problem(await call(), 503, "would_expire")
        assert (service.books["received"], service.books["rejected"]) == (1, 1)
        service.assert_at_rest()


async def test_a_long_body_in_many_pieces():
    """A body may come byte by byte."""
    async with running() as service:
        call = service.order(body=None)
        for at in range(len(BODY)):
            call.send(BODY[at : at + 1], more=True)
        call.send(b"", more=False)
        assert (await call()).status == 201


# The rest is for the machine to think up. One service serves all examples of a test, so that
# whatever one leaves behind would show in the next.

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([2**31, 2**63, 10**400, -1, 0, 1, 100, 101]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["item_id", "quantity", "workers", "queue_policy", "store", ""])
            | st.text(max_size=10),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
BODIES = (
    st.binary(max_size=200)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.builds(
        lambda item_id, quantity: json.dumps({"item_id": item_id, "quantity": quantity}).encode(),
        JSON,
        JSON,
    )
)
OURS = ("idempotency-key", "x-request-timeout-ms", "x-client-id", "x-priority", "traceparent")
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [name.encode() for name in (*OURS, "expect", "content-length", "accept", "origin")]
            + [b"transfer-encoding", b"authorization", b"content-type", b"forwarded", b"host"]
        ),
        st.binary(max_size=30)
        | st.integers(-2, 4_000_000).map(lambda number: b"%d" % number)
        | st.sampled_from(
            [b"100-continue", b"chunked", b"*/*;q=x", b"application/openmetrics-text"]
        ),
    ),
    max_size=4,
)
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "", "X Y"])
PATHS = (
    st.sampled_from(["/", "/orders", "/items", "/items/1", "/orders/x", "/settings", "/metrics"])
    | st.text(max_size=30).map(lambda text: "/" + text)
    | st.text(max_size=10).map(lambda text: "/items/" + text)
    | st.text(max_size=10).map(lambda text: "/orders/" + text)
)
FUZZ = settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def loop():
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def service(loop):
    entered = running()
    yield loop.run(entered.__aenter__())
    loop.run(entered.__aexit__(None, None, None))


def assert_sane(service: Service, answer: Answer) -> None:
    """An answer of ours: no 500, nothing that could split it, nobody left inside."""
    assert answer.ended
    assert answer.status is not None
    assert answer.status < 500, answer.body
    for name, value in answer.headers:
        assert not set(b"\r\n\0") & set(name + value)
    if answer.status >= 400 and answer.body:
        problem = answer.json()
        assert problem["status"] == answer.status
        assert (answer.status == 422) == ("field" in problem)
    service.assert_at_rest()


@FUZZ
@given(body=BODIES)
def test_no_body_makes_a_500(loop, service, body):
    """Any bytes as an order: an order, or a problem that names the field."""

    async def scenario() -> Answer:
        return await service.order(body=body)()

    answer = loop.run(scenario())
    assert answer.status in (201, 422, 409)
    assert_sane(service, answer)


@FUZZ
@given(method=METHODS, path=PATHS, headers=HEADERS, body=BODIES, query=st.binary(max_size=20))
def test_no_request_makes_a_500(loop, service, method, path, headers, body, query):
    """Any method, path, headers, query and body: an answer below 500."""

    async def scenario() -> Answer:
        # As the server hands them over: without what HTTP forbids in a header.
        clean = [(name, value.translate(None, b"\r\n\0")) for name, value in headers]
        return await service.call(method, path, headers=clean, body=body, query=query)()

    try:
        path.encode()
    except UnicodeEncodeError:
        return  # no server decodes a path to half a surrogate pair
    assert_sane(service, loop.run(scenario()))


@FUZZ
@given(body=BODIES)
def test_no_knobs_make_a_500(loop, service, body):
    """Any bytes as settings: changed, or a problem; and what is live stays within its range."""

    async def scenario() -> Answer:
        return await service.call("PATCH", "/settings", body=body)()

    answer = loop.run(scenario())
    assert answer.status in (200, 422)
    assert_sane(service, answer)
    assert 1 <= service.office.workers <= 1024
