"""A no is the same from both who can say it: our connection by the head alone, and the application,
as behind any other server. Each test is held through both."""

import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from bpdemo.api.door import Door
from tests.support.http import BODY, STUCK
from tests.support.server import ServerThread, Wire, server
from tests.support.waiting import eventually

HOST = b"Host: a\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
ORDER = b"POST /orders HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY
HEALTH = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
#: One worker who is busy for good, and a body limit that is soon over.
FULL = STUCK | {"max_body_bytes": 1000}

REFUSED = {
    "a full queue": ORDER,
    "with line breaks before it": b"\r\n\r\n" + ORDER,
    "that closes": ORDER.replace(HOST, HOST + b"Connection: close\r\n"),
    "of HTTP/1.0": ORDER.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "of HTTP/1.0 that would stay": ORDER.replace(
        b"HTTP/1.1\r\n", b"HTTP/1.0\r\nConnection: keep-alive\r\n"
    ),
    "that waits to be asked for its body": ORDER.replace(HOST, HOST + b"Expect: 100-continue\r\n"),
    "in chunks": ORDER.replace(LENGTH, b"Transfer-Encoding: chunked\r\n").replace(
        BODY, b"1a\r\n" + BODY + b"\r\n0\r\n\r\n"
    ),
    "in chunks that are none": ORDER.replace(LENGTH, b"Transfer-Encoding: chunked\r\n"),
    "that is too long": ORDER.replace(LENGTH, b"Content-Length: 1001\r\n"),
    "that offers another protocol": ORDER.replace(HOST, HOST + b"Connection: upgrade\r\n"
                                                  b"Upgrade: h2c\r\n"),
    "a method there is not": b"DELETE /orders HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method there is not, elsewhere": b"POST /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method that has no body": b"HEAD /orders HTTP/1.1\r\n" + HOST + b"\r\n",
    "an absolute target": ORDER.replace(b"/orders", b"http://b/orders"),
}  # fmt: skip


@pytest.fixture(scope="module", params=[True, False], ids=["connection", "application"])
def full(request: pytest.FixtureRequest) -> Iterator[ServerThread]:
    with server(judging=request.param, **FULL) as thread:
        thread.fill()
        yield thread


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[ServerThread, ServerThread]]:
    with server(**FULL) as one, server(judging=False, **FULL) as other:
        one.fill()
        other.fill()
        yield one, other


@pytest.mark.parametrize("request_bytes", REFUSED.values(), ids=REFUSED)
def test_both_say_the_same_word_for_word(both, request_bytes):
    """Every byte but the date, the id and the chance in Retry-After; and both end alike."""
    said = [all_that_is_said(thread, request_bytes) for thread in both]
    assert said[0] == said[1]
    assert re.match(rb"HTTP/1.1 [45]", said[0])


def all_that_is_said(thread: ServerThread, request_bytes: bytes) -> bytes:
    """To this request, and to the next one where the connection stays."""
    with socket.create_connection(("127.0.0.1", thread.port), timeout=5.0) as line:
        line.sendall(request_bytes)
        said = b""
        while not is_whole(said, request_bytes.startswith(b"HEAD")) and (more := line.recv(65536)):
            said += more
        if b"\r\nconnection: close\r\n" not in said:
            line.sendall(HEALTH.replace(HOST, HOST + b"Connection: close\r\n"))
        line.shutdown(socket.SHUT_WR)
        while more := line.recv(65536):
            said += more
    said = re.sub(rb"(?m)^(date|x-request-id): .*\r$", rb"\1:", said)
    return re.sub(rb"retry-after: \d+", rb"retry-after:", said)


def is_whole(said: bytes, is_head: bool) -> bool:
    top, ended, body = said.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", top)
    return bool(ended) and (is_head or (length is not None and len(body) >= int(length[1])))


def test_it_is_booked_measured_and_logged(full):
    """Once each, under the id that the caller was told."""
    before, line = full.books["rejected"], 'method="POST",route="/orders",status="503"'
    answered = counted(full, f"bpdemo_http_request_seconds_count{{{line}}}")
    with full.connect() as wire:
        ids = {wire.ask("POST", "/orders", BODY).headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5
    assert full.books["rejected"] == before + 5
    assert counted(full, 'bpdemo_rejected_total{reason="queue_full"}') == before + 5
    assert counted(full, f"bpdemo_http_request_seconds_count{{{line}}}") == answered + 5
    lines = eventually(lambda: told_of(full, ids), "a line gives one of them as an example")
    assert lines[0]["reason"] == "queue_full"


def counted(thread: ServerThread, series: str) -> float:
    text = thread.ask("GET", "/metrics").body.decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(series))


def told_of(thread: ServerThread, ids: set[str]) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in thread.log.getvalue().splitlines()]
    return [line for line in lines if line.get("example_request_id") in ids]


def test_the_connection_stays_and_answers_in_turn(full):
    """Refused or not, however many come at once, and whatever stands between them."""
    with full.connect() as wire:
        wire.send(ORDER + HEALTH + ORDER * 20 + HEALTH)
        statuses = [wire.reply().status for _ in range(23)]
        assert statuses == [503, 200, *[503] * 20, 200]


def test_a_body_that_comes_after_the_answer_is_read(full):
    """Piece by piece; the next request is none of it."""
    head, body = ORDER[: -len(BODY)], BODY
    with full.connect() as wire:
        wire.send(head)
        assert wire.reply().status == 503
        for byte in body:
            wire.send(bytes([byte]))
        assert wire.ask("GET", "/healthz").status == 200


def test_nothing_is_answered_behind_an_answer_that_closes(full):
    """What came with it was understood, and is not done."""
    received = full.books["received"]
    with full.connect() as wire:
        wire.send(ORDER.replace(HOST, HOST + b"Connection: close\r\n") + ORDER)
        assert wire.reply().closes
        assert wire.is_closed()
    assert full.books["received"] == received + 1


def test_a_caller_who_goes_on_sending_hears_it(full):
    """The connection lingers: a reset would take the answer back."""
    with full.connect() as wire:
        wire.send(ORDER.replace(LENGTH, b"Content-Length: 2000000\r\n"))
        wire.send(b"x" * 1_000_000)
        reply = wire.reply()
        assert (reply.status, reply.closes) == (503, True)


def test_a_caller_who_has_said_all_hears_it(full):
    """A half-close is no hang-up here: the answer is given, then the connection ends."""
    with socket.create_connection(("127.0.0.1", full.port), timeout=5.0) as line:
        line.sendall(ORDER)
        line.shutdown(socket.SHUT_WR)
        said = b""
        while more := line.recv(65536):
            said += more
    assert said.startswith(b"HTTP/1.1 503 ")
    assert said.endswith(b"}")


def test_nobody_is_kept_in_the_books(full):
    """Nor inside any limit: but for the one who is worked for."""
    full.ask("POST", "/orders", BODY)
    full.when_books(waiting=0, queued=0, running=1)
    assert full.stats["in_flight"] == 1


@pytest.mark.parametrize("judging", [True, False], ids=["connection", "application"])
def test_shares_limits_and_the_end_come_first(judging):
    """Each no has its reason, and draining closes the connection."""
    with server(judging=judging, **STUCK, client_max_in_flight=1, max_in_flight=2) as thread:
        thread.fill()
        assert reason_of(thread.connect()) == "client_limit"
        other = thread.order(X_Client_Id="other")
        assert other.reply().json()["reason"] == "queue_full"
        stays = thread.connect()
        assert stays.ask("GET", "/healthz").status == 200
        thread.office.state = "draining"
        reply = stays.ask("GET", "/items")
        assert (reply.json()["reason"], reply.closes) == ("draining", True)
        assert stays.is_closed()
        thread.office.state = "open"


def reason_of(wire: Wire) -> str:
    reason: str = wire.ask("POST", "/orders", BODY).json()["reason"]
    return reason


@pytest.mark.parametrize("judging", [True, False], ids=["connection", "application"])
def test_a_verdict_that_breaks_is_told_by_the_application(judging, monkeypatch):
    """It is a 500 and no 400; nobody is booked for it, and the next is judged again."""
    with server(judging=judging, **STUCK) as thread:
        thread.fill()

        def broken(*_: object, **__: object) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as patch:
            patch.setattr(thread.office.gate, "enter", broken)
            assert thread.ask("POST", "/orders", BODY).status == 500
        assert reason_of(thread.connect()) == "queue_full"
        assert thread.books["received"] == 2


@pytest.mark.parametrize(("traces", "by_application"), [("off", 0), ("memory", 2)])
def test_a_no_has_its_span_where_traces_are_on(traces, by_application, monkeypatch):
    """Then the application says it, which can draw one; otherwise it is not asked at all."""
    said: list[object] = []
    say_no = Door._say_no

    async def counted_no(*given: Any) -> None:
        said.append(given)
        await say_no(*given)

    monkeypatch.setattr(Door, "_say_no", counted_no)
    with server(**STUCK, traces=traces) as thread:
        thread.fill()
        assert reason_of(thread.connect()) == "queue_full"
        assert thread.ask("DELETE", "/orders").status == 405
        assert thread.books["rejected"] == 1
        tracer = thread.server.config.app.state.telemetry.tracer  # type: ignore[union-attr]
        names = [span.name for span in tracer.finished()] if by_application else []
    assert len(said) == by_application
    assert [name for name in names if name.endswith(" /orders")] == [
        "POST /orders",
        "DELETE /orders",
    ][:by_application]
