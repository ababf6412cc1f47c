"""Connections: slow, endless, oversized, unreadable or crowded ones, against a real server."""

import gc
import json
import select
import socket
import time

import pytest

from bpdemo.api.connection import wire as connection
from tests.support.http import BODY, STUCK
from tests.support.server import Reply, ServerThread, Wire, server
from tests.support.waiting import PATIENCE_S, eventually

HEAD = b"POST /orders HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture(scope="module")
def quick():
    """Reads for a third of a second at most."""
    with server(read_timeout_s=0.3, payment_latency_s=0.0, max_body_bytes=20_000) as thread:
        yield thread


@pytest.fixture
def full():
    """Refuses every order: its only worker is busy for ever."""
    with server(**STUCK) as thread:
        thread.fill()
        yield thread


def problem(reply: Reply, status: int, reason: str) -> None:
    assert (reply.status, reply.json()["reason"]) == (status, reason)
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["status"] == status


def in_step(wire: Wire) -> None:
    """The next request on the connection gets its own answer."""
    assert wire.ask("GET", "/healthz").json() == {"status": "alive"}


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/metrics", "/items", "/items/1", "/docs", "/nothing", "/items/0"]
)
def test_head_keeps_the_connection_in_step(quick, path):
    """HEAD is GET without the body; the server knows it, and the next answer is right."""
    with quick.connect() as wire:
        get = wire.ask("GET", path)
        head = wire.ask("HEAD", path)
        assert head.status == get.status
        if path != "/metrics":
            assert head.headers["content-length"] == str(len(get.body))
        in_step(wire)


def test_answers_leave_at_once(quick):
    """No answer waits for an acknowledgement: forty requests one after another are fast."""
    with quick.connect() as wire:
        in_step(wire)
        started_s = time.monotonic()
        for _ in range(40):
            in_step(wire)
        assert time.monotonic() - started_s < 0.8  # with Nagle's algorithm it is 1.6


@pytest.mark.parametrize("sent", [b"G", b"GET / HTTP/1.1\r\nHost: a\r\n", HEAD + b"x-a: "])
def test_a_slow_head_is_408(quick, sent):
    """A head that does not come to its end is answered in time, and the connection closed."""
    with quick.connect() as wire:
        wire.send(sent)
        started_s = time.monotonic()
        problem(wire.reply(), 408, "read_timeout")
        assert 0.2 < time.monotonic() - started_s < 1.5
        assert wire.is_closed()


def test_a_head_byte_by_byte_is_408(quick):
    """A byte now and then does not buy more time."""
    with quick.connect() as wire:
        started_s = time.monotonic()
        data = iter(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 100)
        while not wire.hears_something(within_s=0.03):
            wire.send(bytes([next(data)]))
        assert time.monotonic() - started_s < 1.5
        problem(wire.reply(), 408, "read_timeout")
        assert wire.is_closed()


def test_nothing_at_all_is_closed_without_a_word(quick):
    """Nobody asked, so nobody is answered."""
    with quick.connect() as wire:
        assert wire.is_closed(within_s=2)


def test_stray_line_breaks_do_not_hold_a_connection(quick):
    """After an answer, line breaks now and then keep nothing open for ever."""
    with quick.connect() as wire:
        in_step(wire)
        wire.send(b"\r\n")
        assert wire.is_closed(within_s=2)


def test_patience_with_a_silent_caller_ends_when_he_speaks():
    """Where reading has no limit, one who has begun may take longer than one who says nothing."""
    with server(read_timeout_s=0) as sut, sut.connect() as wire:
        in_step(wire)
        wire.send(b"GET /healthz HTTP/1.1\r\n")
        assert not wire.is_closed(within_s=6)
        wire.send(b"Host: a\r\n\r\n")
        assert wire.reply().status == 200


def test_line_breaks_between_requests_are_skipped(quick):
    """Old callers end a body with a line break that belongs to nothing."""
    with quick.connect() as wire:
        assert wire.ask("POST", "/orders", BODY).status == 201
        wire.send(b"\r\n")
        in_step(wire)


@pytest.mark.parametrize("method", ["POST /orders", "PATCH /settings"])
@pytest.mark.parametrize("framing", [b"content-length: 26", b"transfer-encoding: chunked"])
def test_a_slow_body_is_408(quick, method, framing):
    """A body that stops is answered within the time to read, and leaves the books."""
    before = quick.books["received"]
    with quick.connect() as wire:
        started_s = time.monotonic()
        wire.send(method.encode() + b" HTTP/1.1\r\nHost: localhost\r\n" + framing + b"\r\n\r\n")
        wire.send(b"{" if b"length" in framing else b"1\r\n{\r\n")
        reply = wire.reply()
        problem(reply, 408, "read_timeout")
        assert reply.closes
        assert 0.2 < time.monotonic() - started_s < 1.5
        assert wire.is_closed()
    assert quick.books["received"] == before
    quick.assert_at_rest()


def test_head_and_body_share_one_limit(quick):
    """Who takes their time for the head has less of it for the body."""
    with quick.connect() as wire:
        started_s = time.monotonic()
        for piece in (b"POST /orders HTTP/1.1\r\n", b"Host: a\r\n", b"content-length: 26\r\n\r\n"):
            wire.send(piece)
            assert not wire.is_closed(within_s=0.08)
        problem(wire.reply(), 408, "read_timeout")
        assert time.monotonic() - started_s < 0.55


def test_an_unread_body_that_stops_does_not_hold_the_connection():
    """Refused before its body was read, a caller cannot hold on by never sending the rest."""
    with server(**STUCK, read_timeout_s=0.3) as thread:
        thread.fill()
        with thread.connect() as wire:
            wire.send(HEAD + b"content-length: 26\r\n\r\n{")
            reply = wire.reply()
            problem(reply, 503, "queue_full")
            assert not reply.closes
            wire.send(b"x")  # which ends the keep-alive timer of the server
            assert wire.is_closed(within_s=2)


def test_a_body_without_end_is_cut_off(quick):
    """Chunk after chunk is 413 at the limit, and the connection is closed."""
    with quick.connect() as wire:
        wire.send(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
        sent = 0
        try:
            for _ in range(25_000):
                wire.send(chunk)
                sent += 4096
        except OSError:
            pass  # the server has closed: that is what it should do
        assert sent < 4096 * 25_000
    quick.assert_at_rest()


@pytest.mark.parametrize("size", [20_000, 20_001, 100_000, 1_000_000])
def test_a_body_in_one_piece_is_judged_by_its_size(quick, size):
    """However much of it arrives with the head, a body is no part of the head."""
    with quick.connect() as wire:
        try:
            wire.request("POST", "/orders", BODY.ljust(size))
        except OSError:
            assert size > 100_000
        reply = wire.reply()
        assert reply.status == (201 if size <= 20_000 else 413)
        assert reply.closes == (size > 20_000)
        if reply.closes:
            assert wire.is_closed()
        else:
            in_step(wire)


def test_large_bodies_are_taken_where_they_are_allowed():
    """A body larger than any head may be is read to its end."""
    knobs = {"payment_latency_s": 0.0, "max_body_bytes": 1_000_000}
    with server(**knobs) as thread, thread.connect() as wire:
        assert wire.ask("POST", "/orders", BODY.ljust(900_000)).status == 201
        in_step(wire)


@pytest.mark.parametrize("pieces", [1, 50])
def test_a_head_too_large_is_431(quick, pieces):
    """Whether it comes at once or bit by bit."""
    with quick.connect() as wire:
        try:
            wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
            for _ in range(pieces):
                wire.send(b"x-a: " + b"y" * (200_000 // pieces) + b"\r\n")
        except OSError:
            pass  # closed in the middle: that is what it should do
        problem(wire.reply(), 431, "invalid_request")
        assert wire.is_closed()


def test_a_large_head_below_the_limit_is_read(quick):
    """Thirty kilobytes of cookies are somebody's life."""
    with quick.connect() as wire:
        assert wire.ask("GET", "/healthz", cookie="c" * 30_000).status == 200
        in_step(wire)


@pytest.mark.parametrize(
    "data",
    [
        b"this is no HTTP\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"G\xffT / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT somewhere:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        HEAD + b"content-length: -1\r\n\r\n",
        HEAD + b"content-length: " + b"9" * 30 + b"\r\n\r\n",
        HEAD + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        HEAD + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\nno size\r\n",
        HEAD + b"x\x00y: 1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_problem(quick, data):
    """400 in the shape of every other no, once, and the connection is closed."""
    with quick.connect() as wire:
        wire.send(data)
        reply = wire.reply()
        problem(reply, 400, "invalid_request")
        assert reply.closes
        assert wire.is_closed()
    quick.assert_at_rest()


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://127.0.0.1/healthz", 200),
        ("http://elsewhere.example/items/1", 200),
        ("http://elsewhere.example", 200),
        ("/items%2F1", 200),
        ("/items/1%2F2", 404),
        ("/%69tems/1", 200),
        ("/items/%31", 200),
        ("/items/%FF", 422),
        ("/orders/%00", 404),
        ("/orders/%0d%0aSet-Cookie:x", 404),
        ("/items/1?x=%0d%0a", 200),
        ("/items/1#part", 200),
        ("/../items/1", 404),
        ("/items/../items/1", 404),
        ("*", 404),
        ("//items/1", 404),
        ("/healthz/", 404),
    ],
)
def test_odd_targets(quick, target, status):
    """Absolute, encoded and crooked targets mean what they mean after decoding, or nothing."""
    with quick.connect() as wire:
        reply = wire.ask("GET", target)
        assert reply.status == status
        assert "set-cookie" not in reply.headers
        in_step(wire)


@pytest.mark.parametrize(
    ("headers", "closes"),
    [
        (b"content-length: 26\r\n\r\n" + BODY, False),
        (b"content-length: 16384\r\n\r\n" + BODY.ljust(16384), False),
        (b"content-length: 26\r\nexpect: 100-continue\r\n\r\n", True),
        (b"transfer-encoding: chunked\r\n\r\n1a\r\n" + BODY + b"\r\n0\r\n\r\n", True),
        (b"content-length: 100000000\r\n\r\n", True),
        (b"\r\n", False),
    ],
)
def test_a_refusal_leaves_the_connection_in_step_or_closed(full, headers, closes):
    """Where the body is short and announced it stays open, and the next answer is the right one."""
    with full.connect() as wire:
        wire.send(HEAD + headers)
        reply = wire.reply()
        problem(reply, 503, "queue_full")
        assert int(reply.headers["retry-after"]) >= 1
        assert reply.closes == closes
        if closes:
            assert wire.is_closed()
        else:
            in_step(wire)
            problem(wire.ask("POST", "/orders", BODY), 503, "queue_full")


def test_a_refusal_before_the_body_has_come(full):
    """The body may follow the answer: it is taken for the body it is."""
    with full.connect() as wire:
        wire.send(HEAD + b"content-length: 26\r\n\r\n")
        problem(wire.reply(), 503, "queue_full")
        wire.send(BODY[:10])
        wire.send(BODY[10:])
        in_step(wire)


def test_expect_is_answered_with_continue(quick):
    """Who waits for a word before sending the body gets it, once the door has let them in."""
    with quick.connect() as wire:
        wire.send(HEAD + b"content-length: 26\r\nexpect: 100-continue\r\n\r\n")
        assert wire.reply().status == 100
        wire.send(BODY)
        reply = wire.reply()
        assert (reply.status, reply.closes) == (201, False)
        in_step(wire)


def test_expect_with_a_body_too_large_is_refused_unread(quick):
    """No `100 Continue` for what would not be read."""
    with quick.connect() as wire:
        wire.send(HEAD + b"content-length: 20001\r\nexpect: 100-continue\r\n\r\n")
        reply = wire.reply()
        problem(reply, 413, "too_large")
        assert reply.closes
        assert wire.is_closed()


def test_pipelined_requests_are_answered_in_turn(quick):
    """Several requests in one piece get as many answers, in their order."""
    with quick.connect() as wire:
        order = HEAD + b"content-length: 26\r\n\r\n" + BODY
        get = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        wire.send(get + order + b"HEAD /items HTTP/1.1\r\nHost: a\r\n\r\n" + get + order)
        assert wire.reply().json() == {"status": "alive"}
        assert wire.reply().status == 201
        assert wire.reply(head=True).status == 200
        assert wire.reply().json() == {"status": "alive"}
        assert wire.reply().status == 201
        in_step(wire)


@pytest.mark.parametrize("rest", [b"GARBAGE\r\n\r\n", b"GET / HT", b"GET /x HTTP/1.1\r\nx: y\r\n"])
def test_a_bad_successor_does_not_spoil_an_answer(rest):
    """What follows a request being worked on cannot push its own no before that answer."""
    with server(read_timeout_s=0.2, payment_latency_s=0.5, attempt_timeout_s=0.0) as thread:
        with thread.connect() as wire:
            wire.send(HEAD + b"content-length: 26\r\n\r\n" + BODY + rest)
            reply = wire.reply()
            assert reply.status == 201
            assert json.loads(reply.body)["status"] == "confirmed"
            assert wire.is_closed()
        thread.assert_at_rest()
        assert thread.books["success"] == 1


def test_a_request_longer_than_the_time_to_read_is_not_cut_off():
    """The time to read ends with the request: the work may take longer."""
    knobs = {"read_timeout_s": 0.2, "payment_latency_s": 0.6, "attempt_timeout_s": 0.0}
    with server(**knobs) as thread, thread.connect() as wire:
        assert wire.ask("POST", "/orders", BODY).status == 201
        in_step(wire)


def test_an_upgrade_is_answered_as_if_it_had_not_been_asked_for(quick):
    """There is no other protocol here: the request is answered, and the connection closed."""
    with quick.connect() as wire:
        reply = wire.ask("GET", "/healthz", connection="Upgrade", upgrade="h2c")
        assert (reply.status, reply.closes) == (200, True)
        assert wire.is_closed()


def test_an_upgrade_with_a_body_cannot_smuggle_a_request(quick):
    """A body that looks like a request is not taken for one."""
    with quick.connect() as wire:
        body = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        wire.send(
            HEAD + b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: %d\r\n\r\n" % len(body)
        )
        wire.send(body)
        assert wire.reply().status == 422
        assert wire.is_closed()


def test_http_10_is_answered_and_closed(quick):
    """The old protocol knows no kept connections."""
    with quick.connect() as wire:
        wire.send(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert wire.reply().status == 200
        assert wire.is_closed()


def test_half_a_hundred_idle_connections_do_no_harm(quick):
    """They are closed in time, and others are served meanwhile."""
    wires = [quick.connect() for _ in range(50)]
    try:
        assert quick.ask("GET", "/healthz").status == 200
        for wire in wires:
            assert wire.is_closed(within_s=3)
    finally:
        for wire in wires:
            wire.hang_up()
    eventually(lambda: len(quick.server.server_state.connections) <= 1)


BUNDLE = "/docs/assets/swagger-ui-bundle.js"


def dial_small(thread: ServerThread) -> socket.socket:
    """A caller who has room for little, at a server that buffers little."""
    (listener,) = thread.server.servers[0].sockets
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # its connections inherit it
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    caller.connect(("127.0.0.1", thread.port))
    return caller


@pytest.mark.parametrize("asked", [BUNDLE, "/items?limit=100"])
def test_answers_that_nobody_reads_are_cut_off(asked):
    """In the midst of a long one, or between many: no task and no connection waits for ever."""
    with server(read_timeout_s=0.3) as thread, dial_small(thread) as caller:
        caller.sendall(f"GET {asked} HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 30)
        state = thread.server.server_state
        eventually(lambda: state.tasks, "the answer is stuck")
        eventually(lambda: not state.tasks and not state.connections, "they are cut off")
        thread.assert_at_rest()


def test_whoever_reads_slowly_gets_all():
    """The time counts from the last that they took, not from the beginning."""
    with server(read_timeout_s=1.0) as thread, dial_small(thread) as caller:
        caller.sendall(f"GET {BUNDLE} HTTP/1.0\r\nHost: a\r\n\r\n".encode())
        caller.settimeout(PATIENCE_S)
        started_s, got = time.monotonic(), b""
        while piece := caller.recv(65_536):
            got += piece
            if time.monotonic() - started_s < 2.5:
                select.select([], [], [], len(piece) / 400_000)  # slow, and well within the time
        head, _, body = got.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), got[:500]
        assert len(body) == int(head.lower().split(b"content-length: ")[1].split()[0])
        assert time.monotonic() - started_s > 1.5


def test_whoever_reads_slowly_out_of_full_buffers_gets_all():
    """As a server has them: the system takes megabytes off the server at once, and says for long
    stretches that it takes no more, while the caller reads on."""
    with server(read_timeout_s=0.5) as thread, socket.socket() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        caller.connect(("127.0.0.1", thread.port))
        asked = f"GET {BUNDLE} HTTP/1.1\r\nHost: a\r\n".encode()
        caller.sendall((asked + b"\r\n") * 4 + asked + b"Connection: close\r\n\r\n")
        caller.settimeout(PATIENCE_S)
        started_s, got = time.monotonic(), 0
        while piece := caller.recv(65_536):
            got += len(piece)
            if time.monotonic() - started_s < 3:
                select.select([], [], [], len(piece) / 400_000)  # 0.2 MB in the time they have
        assert got > 5 * len(thread.ask("GET", BUNDLE).body)


def wires() -> int:
    """How many connections this process still has in memory, in use or not."""
    return sum(type(thing) is connection.Wire for thing in gc.get_objects())


@pytest.mark.parametrize("asked", [b"", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_a_connection_that_is_over_is_gone_without_a_full_collection(asked):
    """Thousands that come and leave at once would wait in circles for one, and take memory."""
    with server() as thread:
        gc.collect()
        gc.disable()
        try:
            callers = [socket.create_connection(("127.0.0.1", thread.port)) for _ in range(20)]
            for caller in callers:
                caller.sendall(asked)
                if asked:
                    assert caller.recv(4096).startswith(b"HTTP/1.1 200")
            eventually(lambda: wires() == 20, "all are in")
            for caller in callers:
                caller.close()
            eventually(lambda: not wires(), "nothing of them is left")
        finally:
            gc.enable()
