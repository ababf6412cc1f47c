"""How connections end: so that what was said last is heard, whatever the caller still sends."""

import http.client
import select
import socket
import time

import pytest

from bpdemo.api.connection.farewell import LINGER_S
from tests.support.http import BODY, STUCK
from tests.support.server import Wire, server
from tests.support.waiting import PATIENCE_S, eventually

HEAD = b"POST /orders HTTP/1.1\r\nHost: a\r\n"
ORDER = HEAD + b"Content-Length: 26\r\n\r\n" + BODY
GET = b"GET /items/1 HTTP/1.1\r\nHost: a\r\n\r\n"
LONG = 5_000_000
TIMES = 20


@pytest.fixture(scope="module")
def quick():
    with server(payment_latency_s=0.0) as thread:
        yield thread


@pytest.fixture(scope="module")
def full():
    with server(**STUCK) as thread:
        thread.fill()
        yield thread


@pytest.mark.parametrize("sut", ["quick", "full"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_refusal_reaches_one_who_sends_it_all_first(sut, chunked, request):
    """5 MB of a body that is not wanted, twenty times: not one reset in the place of an answer."""
    thread, piece = request.getfixturevalue(sut), b"x" * 50_000
    for _ in range(TIMES):
        connection = http.client.HTTPConnection("127.0.0.1", thread.port, timeout=PATIENCE_S)
        headers = {} if chunked else {"Content-Length": str(LONG)}
        body = (piece for _ in range(LONG // len(piece)))
        connection.request("POST", "/orders", body, headers, encode_chunked=chunked)
        answer = connection.getresponse()
        assert answer.status == (413 if sut == "quick" else 503)
        assert answer.read()
        connection.close()
    thread.assert_at_rest() if sut == "quick" else None


ENDS = {
    "431": (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x: y\r\n" * 150 + b"\r\n", 431),
    "400": (b"nonsense\r\n\r\n", 400),
    "501": (HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    "413": (HEAD + b"Content-Length: 10000000\r\n\r\n", 413),
    "asked to": (b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200),
    "1.0": (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
    "upgrade": (
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        200,
    ),
}


@pytest.mark.parametrize(("data", "status"), ENDS.values(), ids=ENDS)
def test_every_end_is_gentle(quick, data, status):
    """Bytes that come behind the last answer do not take it back, and the end is told at once."""
    with quick.connect() as wire:
        wire.send(data)
        for _ in range(20):
            wire.send(b"x" * 50_000)
        assert wire.reply().status == status
        assert wire.is_closed(within_s=0.5)
        for _ in range(3):  # thrown away, where a closed end would answer with a reset
            wire.send(b"y" * 50_000)
            assert wire.is_closed(within_s=0.5)


def test_a_late_head_ends_gently_too():
    """408 reaches one who goes on all the same."""
    with server(read_timeout_s=0.2) as thread, thread.connect() as wire:
        wire.send(b"GET / HTTP/1.1\r\n")
        eventually(lambda: wire.hears_something(within_s=0.05))
        for _ in range(10):
            wire.send(b"x" * 50_000)
        assert wire.reply().status == 408


def test_a_draining_service_says_so_gently():
    """A refusal while it drains reaches one who still sends."""
    slow = STUCK | {"payment_latency_s": 1.0, "drain_timeout_s": 5.0}
    with server(**slow) as thread:
        working = thread.fill()
        wire = thread.connect()
        wire.ask("GET", "/healthz")
        thread.server.stop()
        eventually(lambda: thread.office.state == "draining")
        wire.send(HEAD + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)
        reply = wire.reply()
        assert (reply.status, reply.json()["reason"], reply.closes) == (503, "draining", True)
        assert working.reply().status == 201


def send_on(wire: Wire, piece: bytes, pause_s: float, at_most_bytes: int) -> int:
    """Until the connection is gone for good; how many bytes it took."""
    sent = 0
    try:
        while sent < at_most_bytes:
            wire.send(piece)
            sent += len(piece)
            select.select([], [], [], pause_s)
    except OSError:
        pass  # a reset, or a broken pipe
    return sent


def test_patience_with_one_who_sends_on_has_an_end(quick):
    """Two seconds, or a few megabytes, whichever comes first."""
    for piece, pause_s, at_most_bytes in ((b"x", 0.02, 1000), (b"x" * 50_000, 0.0, 200_000_000)):
        with quick.connect() as wire:
            wire.send(b"nonsense\r\n\r\n")
            assert wire.reply().status == 400
            started_s = time.monotonic()
            assert send_on(wire, piece, pause_s, at_most_bytes) < at_most_bytes
            taken_s = time.monotonic() - started_s
            assert (taken_s > LINGER_S / 2) == bool(pause_s)
            assert taken_s < 3 * LINGER_S


@pytest.mark.parametrize("sent", [b"", BODY[:10], b"GET /x"])
def test_half_a_request_does_not_hold_the_exit(sent):
    """Anyone who has not said it all is told that the house closes, and the process ends."""
    with server(drain_timeout_s=0.2) as thread:
        wire = thread.connect()
        head = b"" if sent.startswith(b"GET") else HEAD + b"Content-Length: 26\r\n\r\n"
        wire.send(head + sent)
        if head:
            thread.when_books(waiting=1)
        else:
            assert not wire.hears_something(within_s=0.05)
        started_s = time.monotonic()
        thread.stop()
        assert time.monotonic() - started_s < 1.2
        if head:
            reply = wire.reply()
            assert (reply.status, reply.json()["reason"]) == (503, "draining")
            assert int(reply.headers["retry-after"]) >= 1
        assert wire.is_closed()


# --- the end of what a caller sends, which may be the end of what they want


def half_close(wire: Wire) -> None:
    wire._socket.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize(
    "target", ["/items/1", "/items?limit=3", "/healthz", "/orders/x", "/nothing", "/metrics"]
)
@pytest.mark.parametrize("latency_s", [0.0, 0.2])
def test_a_half_closed_caller_is_answered(target, latency_s):
    """They have said all there is to say: the answer comes, and then the connection closes."""
    with server(store_latency_s=latency_s, cache_ttl_s=0.0) as thread, thread.connect() as wire:
        wire.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        half_close(wire)
        assert wire.reply().status in (200, 404)
        assert wire.is_closed()
        thread.assert_at_rest()


def test_several_requests_of_a_half_closed_caller_are_answered():
    """All that came before the end: `printf … | nc` asks so."""
    with server(store_latency_s=0.05, cache_ttl_s=0.0) as thread, thread.connect() as wire:
        wire.send(GET * 5 + b"GET /ite")
        half_close(wire)
        for _ in range(5):
            assert wire.reply().status == 200
        assert wire.is_closed()
        thread.assert_at_rest()


def test_the_end_of_an_order_that_waits_is_a_hang_up():
    """It is dropped from the queue at once, and nobody is charged."""
    with server(**(STUCK | {"queue_capacity": 5, "payment_latency_s": 0.4})) as thread:
        working, wire = thread.fill(), thread.connect()
        wire.send(ORDER)
        thread.when_books(queued=1)
        half_close(wire)
        thread.when_books(queued=0, abandoned=1)
        assert wire.is_closed()
        assert working.reply().status == 201
        thread.assert_at_rest()


def test_where_nobody_heeds_a_hang_up_the_order_is_answered():
    """With drop_on_disconnect off it is a half-close: the answer is sent, then the end."""
    knobs = {"payment_latency_s": 0.2, "attempt_timeout_s": 0.0, "drop_on_disconnect": False}
    with server(**knobs) as thread, thread.connect() as wire:
        wire.send(ORDER)
        half_close(wire)
        reply = wire.reply()
        assert (reply.status, reply.closes) == (201, True)
        assert wire.is_closed()
        assert thread.ask("PATCH", "/settings", b'{"drop_on_disconnect":true}').status == 200
        other = thread.connect()
        other.send(ORDER)
        half_close(other)
        assert other.is_closed()
        thread.assert_at_rest()


def test_an_order_behind_another_request_is_not_begun_after_the_end():
    """Its caller may have left long ago: what was asked before it is answered, it is not sold."""
    with server(store_latency_s=0.1, cache_ttl_s=0.0) as thread, thread.connect() as wire:
        wire.send(GET + ORDER)
        half_close(wire)
        assert wire.reply().status == 200
        assert wire.is_closed()
        thread.assert_at_rest()
        assert thread.books["received"] == 0


@pytest.mark.parametrize("sent", [HEAD + b"Content-Length: 26\r\n\r\n" + BODY[:20], HEAD])
def test_half_a_request_and_the_end_is_nothing(sent):
    """Nobody is in the books, nothing is said, the connection is closed."""
    with server() as thread, thread.connect() as wire:
        wire.send(sent)
        half_close(wire)
        assert wire.is_closed()
        thread.assert_at_rest()
        assert thread.books["received"] == 0
