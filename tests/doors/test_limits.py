"""How much of everything one request may bring; beyond that it is told so, and not read on."""

import pytest

from bpdemo.api.connection.messages import MAX_HEAD_BYTES, MAX_HEADERS
from tests.support.http import BODY
from tests.support.server import Reply, Wire, server

HEAD = b"POST /orders HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY + b"\r\n"
#: What the system's own buffers may hold of what the server has not read.
IN_BUFFERS = 16_000_000


@pytest.fixture(scope="module")
def quick():
    with server(payment_latency_s=0.0, request_timeout_s=0.0) as thread:
        yield thread
        thread.assert_at_rest()


def refused(wire: Wire, status: int = 431) -> Reply:
    """A no in the usual shape, with which the connection ends."""
    reply = wire.reply()
    assert (reply.status, reply.json()["status"]) == (status, status)
    assert reply.json()["reason"] == "invalid_request"
    assert reply.closes
    assert wire.is_closed()
    return reply


def flood(wire: Wire, piece: bytes, at_most_bytes: int = 100_000_000) -> int:
    """Send it again and again, until the server does not listen any more; how many bytes went."""
    sent = 0
    try:
        while sent < at_most_bytes:
            wire.send(piece)
            sent += len(piece)
    except OSError:
        pass
    return sent


@pytest.mark.parametrize("pieces", ["at once", "one by one"])
def test_a_request_has_so_many_headers_at_most(quick, pieces):
    """The limit is fine, one more is 431, however they come."""
    for count, status in ((MAX_HEADERS, 200), (MAX_HEADERS + 1, 431), (16_000, 431)):
        lines = [b"GET /healthz HTTP/1.1\r\nHost: a\r\n", *[b"y:\r\n"] * (count - 1), b"\r\n"]
        with quick.connect() as wire:
            try:
                for piece in [b"".join(lines)] if pieces == "at once" else lines:
                    wire.send(piece)
            except OSError:
                assert count == 16_000  # refused long before its end
            if status == 200:
                assert wire.reply().status == 200
            else:
                assert str(MAX_HEADERS) in refused(wire).json()["detail"]


def test_the_first_line_counts_as_head(quick):
    """A path may be as long as a head: below the limit it is unknown, beyond it too large."""
    with quick.connect() as wire:
        assert wire.ask("GET", "/orders/" + "y" * (MAX_HEAD_BYTES - 100)).status == 404
    with quick.connect() as wire:
        flood(wire, b"GET /orders/" + b"y" * MAX_HEAD_BYTES * 2, 1)
        refused(wire)


@pytest.mark.parametrize("trailer", [b"Idempotency-Key: k", b"X-Priority: 9", b"X-Client-Id: \xff"])
def test_what_follows_a_body_is_no_header(quick, trailer):
    """Proxies check and remove headers, not trailers: here these say nothing at all."""
    ids = set()
    for _ in range(2):
        with quick.connect() as wire:
            wire.send(CHUNKED + b"0\r\n" + trailer + b"\r\n\r\n")
            reply = wire.reply()
            assert reply.status == 201
            ids.add(reply.json()["id"])
            assert wire.ask("GET", "/healthz").status == 200
    assert len(ids) == 2


ENDLESS = {
    "a trailer": (b"0\r\nx: ", b"y" * 65_536),
    "trailers": (b"0\r\n", b"y: z\r\n" * 10_000),
    "the extension of a chunk": (b"1;", b"y" * 65_536),
}


@pytest.mark.parametrize(("start", "piece"), ENDLESS.values(), ids=ENDLESS)
def test_nothing_around_a_body_is_endless(quick, start, piece):
    """A body within its limit cannot bring along what has none."""
    with quick.connect() as wire:
        wire.send(CHUNKED + start)
        assert flood(wire, piece) < IN_BUFFERS


def test_a_body_in_the_smallest_chunks_is_read():
    """Chunks of one byte are six on the wire: those between are not held against the body."""
    with server(payment_latency_s=0.0, read_timeout_s=30.0) as thread, thread.connect() as wire:
        body = BODY.ljust(16_384)
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
        assert len(chunks) > MAX_HEAD_BYTES
        wire.send(HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
        assert wire.reply().status == 201
        assert wire.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize(("length", "status"), [(255, 201), (256, 422), (60_000, 422)])
def test_a_key_has_255_characters_at_most(quick, length, status):
    """One more is a 422 that names the header; the connection goes on."""
    with quick.connect() as wire:
        reply = wire.ask("POST", "/orders", BODY, Idempotency_Key="k" * length)
        assert reply.status == status
        if status == 422:
            assert reply.json()["field"] == "Idempotency-Key"
        assert wire.ask("GET", "/healthz").status == 200
