"""Whatever is sent, and in whatever pieces: a service whose connections say no by themselves says,
does and books the same as one whose application says it."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bpdemo.api.connection.spoken import no_verdict
from tests.support.examples import examples
from tests.support.http import BODY, STUCK, Service, running
from tests.support.pipe import Pipe, connected

HOST = b"Host: a\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
UPGRADE = HOST + b"Connection: upgrade\r\nUpgrade: h2c\r\n"
ORDER = b"POST /orders HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY
CHUNKED = ORDER.replace(LENGTH, b"Transfer-Encoding: chunked\r\n").replace(
    BODY, b"1a\r\n" + BODY + b"\r\n0\r\n\r\n"
)
DELETE = b"DELETE /orders HTTP/1.1\r\n" + HOST + b"\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
REQUESTS = [
    ORDER, CHUNKED, DELETE, HEALTH,
    HEALTH.replace(b"healthz", b"items"), HEALTH.replace(b"healthz", b"nowhere"),
    DELETE.replace(b"DELETE", b"HEAD"), ORDER.replace(b"orders", b"healthz"),
    ORDER.replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\nConnection: keep-alive\r\n"),
    ORDER.replace(HOST, HOST + b"Connection: close\r\n"),
    ORDER.replace(HOST, HOST + b"Expect: 100-continue\r\n"),
    ORDER.replace(LENGTH, b"Content-Length: 5000\r\n").replace(BODY, b"\r\n\r\n " * 1000),
    ORDER.replace(LENGTH, b"Content-Length: 5001\r\n"),
    ORDER.replace(HOST, UPGRADE), CHUNKED.replace(HOST, UPGRADE), DELETE.replace(HOST, UPGRADE),
    CHUNKED.replace(b"1a", b"zz"), CHUNKED.replace(b"\r\n0\r\n", b"\r\n0\r\nX: y\r\n"),
    ORDER.replace(HOST, b""), b"\r\n\r\n\r\n", b"nothing\r\n\r\n",
]  # fmt: skip
#: Turns of the loop in which all that can be done by then is done.
SETTLED = 30


class Line(Pipe):
    """Knows that it was closed."""

    is_closed = False

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed or self.was_cut

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.said += b"<end>"


class Outcome(NamedTuple):
    said: bytes
    waits_for: str | None
    booked: dict[str, int]
    measured: float


async def settle() -> None:
    for _ in range(SETTLED):
        await asyncio.sleep(0)


async def outcome_of(
    service: Service, pieces: list[bytes], *, judging: bool, says_all: bool
) -> Outcome:
    books, measured = dict(service.books), answers_measured(service)
    verdict = service.app.state.verdict if judging else no_verdict
    line = Line()
    wire = connected(service.app, line, read_timeout_s=5.0, verdict=verdict)
    for piece in pieces:
        if line.is_closing():
            break
        wire.data_received(piece)
        await settle()
    waits_for = None if wire._is_ending else wire._reading
    if says_all and not line.is_closing() and not wire.eof_received():
        line.close()
    await settle()
    wire.connection_lost(None)
    await settle()
    assert service.in_flight == 1, "only the order that occupies the worker is inside"
    booked = {name: count - books[name] for name, count in service.books.items()}
    return Outcome(plain(line.said), waits_for, booked, answers_measured(service) - measured)


def answers_measured(service: Service) -> float:
    text = service.app.state.telemetry.metrics.render("")[0].decode()
    return sum(
        float(line.split()[-1])
        for line in text.splitlines()
        if line.startswith("bpdemo_http_request_seconds_count")
    )


def plain(said: bytes | bytearray) -> bytes:
    """Without what is another thing each time."""
    said = re.sub(rb"(?m)^(date|x-request-id|retry-after): .*\r$", rb"\1:", bytes(said))
    return re.sub(rb'": \d+\.\d+', b'":', said)


@pytest.fixture(scope="module")
def both() -> Iterator[Any]:
    """What comes of it from a full service: by the connection, and by the application."""
    with asyncio.Runner() as runner:
        context = running(**STUCK, max_body_bytes=5000)
        service = runner.run(context.__aenter__())
        runner.run(service.fill())

        def play(pieces: list[bytes], *, says_all: bool) -> list[Outcome]:
            return [
                runner.run(outcome_of(service, pieces, judging=judging, says_all=says_all))
                for judging in (True, False)
            ]

        yield play
        runner.run(context.__aexit__(None, None, None))


@settings(max_examples=examples(100))
@example([ORDER, DELETE.replace(HOST, UPGRADE)], [], True)
@given(
    st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=4),
    st.lists(st.integers(1, 400), max_size=5),
    st.booleans(),
)
def test_both_do_the_same(both, requests, cuts, says_all):
    """To the last byte, and to the end of the connection."""
    data, pieces = b"".join(requests), []
    for cut in cuts:
        pieces.append(data[:cut])
        data = data[cut:]
    by_connection, by_application = both([*filter(None, [*pieces, data])], says_all=says_all)
    assert by_connection == by_application
