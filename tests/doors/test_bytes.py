"""Any bytes at all to a real server: an answer of ours or a closed connection, and nobody harmed.

Every example ends with a good request that asks for the connection to be closed: so the server ends
it, whether it understood what came before, took all for one body, or gave up.
`BPDEMO_DOORS_EXAMPLES` (12) times ten is how many examples a test has.
"""

import itertools
import json
import os
import select
import socket
from collections.abc import Sequence
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.doors.closed import REASONS, STATUSES, assert_unharmed
from tests.support.http import BODY
from tests.support.server import ServerThread, assert_balanced, server
from tests.support.waiting import PATIENCE_S, eventually

GIVEN = os.environ.get("BPDEMO_DOORS_EXAMPLES")
FUZZ = settings(
    max_examples=10 * int(GIVEN or "12"),
    derandomize=GIVEN is None,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
T = TypeVar("T")
CONTROLS = bytes([*range(32), 127])
LAST = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def quick():
    """Patient for a tenth of a second."""
    with server(payment_latency_s=0.0, read_timeout_s=0.1, max_body_bytes=2000) as thread:
        yield thread
        eventually(lambda: len(thread.server.server_state.connections) <= 1, "all are gone")
        eventually(lambda: len(thread.server.server_state.tasks) <= 1, "no task is left")
        assert_unharmed(thread)


# --- what is sent


def mostly(good: Sequence[T], odd: Sequence[T]) -> st.SearchStrategy[T]:
    """So that a request has one thing wrong with it rather than all: five to one."""
    return st.integers(0, 5).flatmap(lambda draw: st.sampled_from(odd if draw == 5 else good))


ODD_TARGETS = [
    *(b"*", b"http://a/orders", b"//", b"/%", b"/%00", b"/%0d%0aa:b", b"/items/%ff", b"/#"),
    *(b"/items?limit=" + b"9" * 400, b"/orders/" + b"a" * 70_000, b"/\x7f", b"/\xc3\xa9", b"/ "),
]
FIRST = mostly(
    [
        *(b"POST /orders", b"POST /orders", b"POST /orders", b"PATCH /settings"),
        *(b"GET /items/1", b"GET /items?limit=3", b"GET /metrics", b"PUT /orders", b"GET /nothing"),
    ],
    [
        *[b"GET " + target for target in ODD_TARGETS],
        *(b"TRACE /", b"get /", b" /", b"G ET /", b"CONNECT a:80", b"POST", b"X" * 70_000 + b" /"),
    ],
)
VERSIONS = mostly([b"HTTP/1.1"], [b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1", b"http/1.1", b""])
OURS = (
    *(b"Idempotency-Key", b"X-Request-Timeout-Ms", b"X-Client-Id", b"X-Priority", b"traceparent"),
    *(b"Prefer", b"X-Request-Id", b"Authorization", b"Host", b"Origin", b"Accept"),
    *(b"X-Forwarded-For", b"Forwarded", b"Content-Type", b"Content-Encoding", b"Connection"),
    *(b"Upgrade", b"Expect", b"Cookie", b"Te", b"Trailer"),
)
PLAIN = [
    *(b"", b"1", b"3", b"-1", b"100", b"9" * 25, b"close", b"keep-alive, Upgrade", b"websocket"),
    *(b"h2c", b"gzip", b"100-continue", b"respond-async", b"127.0.0.1", b"evil.example", b"null"),
    *(b"*/*", b'"},{"event":"forged"', b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01", b"k" * 255),
    *(
        b"\xff\xfe",
        "schlüssel".encode(),
        b"a\tb",
        b"%0d%0a",
        b"\xc2\x9b31m",
        b"{{7*7}}",
        b"Bearer x",
    ),
]
VALUES = mostly(
    PLAIN,
    [b'k"\x1b[31m', b"a\n b", b"a\r b", b"\r\n\tfolded", b"x" * 70_000, b"\x00", b"a\x7f"],
) | st.binary(max_size=20).map(lambda value: value.translate(None, CONTROLS))
NAMES = mostly(OURS, [b"", b" ", b"a b", b"a:b", b"\xff", b"(x)", b"x\x00", b"Content-Length"])
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=3).flatmap(
    lambda headers: mostly([headers], [headers * 2, headers * 50])
)
ENDS = mostly([b"\r\n"], [b"\n", b"\r", b"\r\r\n", b"\n\r"])
ODD_BODIES = [
    *(
        b"",
        b"\xef\xbb\xbf" + BODY,
        b"[" * 1900,
        b'{"a":' * 380,
        b"\xff" * 9,
        b"NaN",
        b"null",
        b"{}",
    ),
    *(b'{"item_id":1,"item_id":2,"quantity":1}', b'{"item_id":1e999,"quantity":1}', b'"\\ud800"'),
    *(b'{"workers":' + b"9" * 1900 + b"}", b'{"quantity":-0,"item_id":1}', BODY.ljust(2001), LAST),
    *(b'{"__proto__":{},"item_id":1,"quantity":1}', BODY.decode().encode("utf-16")),
    *(b"\x1f\x8b\x08\x00" + b"\0" * 20, b'{"workers":3,"workers":"\x1b"}', b'{"workers":8}\0'),
]
JSON = st.sampled_from([*[BODY] * 3, BODY.ljust(2000), b'{"workers":8}', *ODD_BODIES])


def chunked(body: bytes) -> bytes:
    return b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"


#: How a body may be announced, and what is then sent: the truth, and lies of all kinds.
FRAMINGS = mostly(
    [
        lambda b: ([(b"Content-Length", b"%d" % len(b))], b),
        lambda b: ([(b"Transfer-Encoding", b"chunked")], chunked(b)),
    ],
    [
        lambda b: ([], b),
        lambda b: ([(b"Content-Length", b"%d" % (len(b) + 1))], b),
        lambda b: ([(b"Content-Length", b"%d" % max(0, len(b) - 1))], b),
        lambda b: ([(b"Content-Length", b"+%d" % len(b))], b),
        lambda b: ([(b"Content-Length", b"0x10")], b),
        lambda b: ([(b"Content-Length", b"9" * 30)], b),
        lambda b: ([(b"Content-Length", b"%d" % len(b))] * 2, b),
        lambda b: ([(b"Content-Length", b"%d, %d" % (len(b), len(b)))], b),
        lambda b: ([(b"Content-Length", b"1"), (b"Transfer-Encoding", b"chunked")], chunked(b)),
        lambda b: ([(b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"0")], chunked(b)),
        lambda b: ([(b"Transfer-Encoding", b"identity")], b),
        lambda b: ([(b"Transfer-Encoding", b"chunked, gzip")], chunked(b)),
        lambda b: ([(b"Transfer-Encoding", b"\x0bchunked")], chunked(b)),
        lambda b: ([(b"Transfer-Encoding ", b"chunked")], chunked(b)),
        lambda b: ([(b"Transfer-Encoding", b"chunked")], b"f" * 20 + b"\r\n" + b),
        lambda b: ([(b"Transfer-Encoding", b"chunked")], b"-1\r\n" + b),
        lambda b: ([(b"Transfer-Encoding", b"chunked")], b"1;a=\xff\r\n" + b),
        lambda b: ([(b"Transfer-Encoding", b"chunked")], b"0\r\nHost: b\r\nX-Priority: 9\r\n\r\n"),
        lambda b: ([(b"Transfer-Encoding", b"chunked")], chunked(b).replace(b"\r\n", b"\n")),
    ],
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A request whose every part may be wrong, though most are not."""
    framing, body = draw(FRAMINGS)(draw(JSON))
    headers = [(b"Host", b"127.0.0.1"), *draw(HEADERS), *framing]
    first = draw(FIRST) + b" " + draw(VERSIONS)
    end = draw(ENDS)
    lines = [first, *(name + b": " + value for name, value in headers)]
    return end.join(lines) + end * 2 + body


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A good request in which some bytes are others, missing, or there twice."""
    data = b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
    if draw(st.booleans()):
        data = data.replace(b"Content-Length: 26", b"Transfer-Encoding: chunked")
        data = data.replace(BODY, chunked(BODY))
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(data))), draw(st.integers(0, 8))
        new = draw(st.binary(max_size=8) | st.just(data[at : at + length] * 2))
        data = data[:at] + new + data[at + length :]
    return data


# --- what comes back


def exchange(port: int, pieces: list[bytes]) -> bytes:
    """All that the server says until it closes the connection, which it must."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                if select.select([wire], [], [], 0)[0]:
                    break  # it has something to say; what is sent into a closed end would undo it
                wire.sendall(piece)
            while data := wire.recv(65536):
                answer += data
        except ConnectionError:
            pass  # closed with something unread, which a reset tells; it may overtake the answer
    return answer


def assert_answers(data: bytes) -> None:
    """One answer of ours after the other; only the last may have been cut off."""
    while b"\r\n\r\n" in data:
        head, data = data.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("ascii").split("\r\n")
        assert all(line.isprintable() for line in lines)
        version, status, *_ = first.split(" ")
        assert version == "HTTP/1.1"
        if status == "100":
            continue
        assert status in STATUSES, first
        headers = dict(line.lower().split(": ", 1) for line in lines)
        assert len(headers) == len(lines), "a header is there twice"
        length = int(headers["content-length"])
        body, data = data[:length], data[length:]
        if len(body) == length and int(status) >= 400:
            assert headers["content-type"] == "application/problem+json"
            problem = json.loads(body)
            assert str(problem["status"]) == status
            assert problem["reason"] in REASONS


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """In the pieces that it is sent in."""
    marks = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(marks) if a != b]


def try_out(thread: ServerThread, data: bytes, places: list[int]) -> None:
    assert_answers(exchange(thread.port, cut(data + LAST, places)))
    assert_balanced(thread.books)


PLACES = st.lists(st.integers(0, 10**6), max_size=3)


@FUZZ
@given(data=st.binary(max_size=300), places=PLACES)
def test_no_bytes_do_harm(quick, data, places):
    """Noise is told to be no HTTP, once, and the connection is closed."""
    try_out(quick, data, places)


@FUZZ
@given(data=mutations(), places=PLACES)
def test_no_slip_of_the_pen_does_harm(quick, data, places):
    """A good order with a few bytes wrong is an order, a no, or the end of the connection."""
    try_out(quick, data, places)


@FUZZ
@given(data=st.lists(requests(), min_size=1, max_size=3).map(b"".join), places=PLACES)
def test_no_requests_do_harm(quick, data, places):
    """Lies about lengths, strange lines, odd headers, one request after the other in any pieces."""
    try_out(quick, data, places)
