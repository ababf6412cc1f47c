"""Callers who have left by the time that something is said to them, or asked of their connection.

A transport fails at any of its calls, and behaves as asyncio's besides.
"""

import asyncio
import errno
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from bpdemo.api.connection.wire import Wire
from bpdemo.sim.virtual_time import VirtualTimeLoop
from tests.flow.helpers import settle
from tests.support.pipe import Pipe, connected

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
CLOSE = b"Connection: close\r\n"
EXPECT = b"Expect: 100-continue\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


class Peer:
    """The socket of a caller, who may have left before they are looked at."""

    def __init__(self, check: Callable[[str], None]) -> None:
        self._check = check

    def getsockname(self) -> tuple[str, int]:
        self._check("getsockname")
        return ("127.0.0.1", 80)

    def getpeername(self) -> tuple[str, int]:
        self._check("getpeername")
        return ("127.0.0.1", 5000)

    def fileno(self) -> int:
        self._check("fileno")
        return -1


class Frail(Pipe):
    """The `at`-th call of that name fails, and all after it: the peer has gone.

    Nothing leaves before `unread_bytes` is 0. Like asyncio's, it takes a write after the end for
    an error of the program, and fails at the end only where nothing waits to be written.
    """

    def __init__(self, failing: str = "", at: int = 0) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.has_ended = self.was_closed = False
        self._failing, self._at = failing, at
        self._wire: Wire | None = None
        self._has_lost = False

    def attach(self, wire: Wire) -> None:
        self._wire = wire
        if self.was_closed:  # before it was told of anybody
            self._lose(None)

    def check(self, name: str) -> None:
        self.calls.append(name)
        if name == self._failing and self.calls.count(name) > self._at:
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.has_ended:
            raise RuntimeError("Cannot call write() after write_eof()")
        self.check("write")
        super().write(data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.has_ended = True
        self.check("write_eof")

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        self.check("pause_reading")
        super().pause_reading()

    def resume_reading(self) -> None:
        self.check("resume_reading")
        super().resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return Peer(self.check) if name == "socket" else default

    def is_closing(self) -> bool:
        return self.was_closed

    def close(self) -> None:
        self._close("close", None)

    def abort(self) -> None:
        self.was_cut = True
        self._close("abort", OSError(errno.ECONNRESET, "reset"))

    def _close(self, how: str, why: OSError | None) -> None:
        self.was_closed = True
        self._lose(why)
        self.check(how)

    def _lose(self, why: OSError | None) -> None:
        if self._wire is not None and not self._has_lost:
            self._has_lost = True
            asyncio.get_running_loop().call_soon(self._wire.connection_lost, why)


class App:
    """Reads to the end, and answers; notes what it should never see."""

    def __init__(self) -> None:
        self.faults: list[BaseException] = []
        self.began = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.began += 1
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return
                if not message["more_body"]:
                    break
            await asyncio.sleep(0.1)
            head = [(b"content-length", b"4")]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            await asyncio.sleep(0.1)
            await send({"type": "http.response.body", "body": b"done"})
        except Exception as fault:
            self.faults.append(fault)
            raise


Say = Callable[[Wire, Frail], None]


def data(*pieces: bytes) -> Say:
    def say(wire: Wire, pipe: Frail) -> None:
        for piece in pieces:
            if not pipe.is_closing():
                wire.data_received(piece)

    return say


def slow_reader(wire: Wire, pipe: Frail) -> None:
    """What is said last waits, and leaves later."""
    pipe.unread_bytes = 9
    data(b"nonsense\r\n\r\n")(wire, pipe)
    wire.pause_writing()

    def take() -> None:
        pipe.unread_bytes = 0
        wire.resume_writing()

    asyncio.get_running_loop().call_later(0.05, take)


def then(first: Say, second: Callable[[Wire], object]) -> Say:
    def say(wire: Wire, pipe: Frail) -> None:
        def go_on() -> None:
            if not pipe.is_closing():
                second(wire)

        first(wire, pipe)
        asyncio.get_running_loop().call_later(0.15, go_on)

    return say


BIG = HEAD + b"Content-Length: 300000\r\n\r\n"
TALKS: dict[str, Say] = {
    "kept alive": data(GET + b"\r\n"),
    "closed": data(GET + CLOSE + b"\r\n"),
    "closed by 1.0": data(b"GET / HTTP/1.0\r\n\r\n"),
    "with a body": data(HEAD + CLOSE + b"Content-Length: 2\r\n\r\n", b"ab"),
    "expecting": data(HEAD + CLOSE + EXPECT + b"Content-Length: 2\r\n\r\n"),
    "expecting, bad chunk": data(HEAD + EXPECT + CHUNKED + b"\r\nZZ\r\n"),
    "expecting, bad chunk after a good one": data(
        HEAD + EXPECT + CHUNKED + b"\r\n2\r\nab\r\nZZ\r\n"
    ),
    "expecting, bad trailer": data(HEAD + EXPECT + CHUNKED + b"\r\n0\r\n a\x01\r\n\r\n"),
    "expecting, upgrade, bad chunk": data(
        HEAD + b"Connection: upgrade\r\nUpgrade: h2c\r\n" + EXPECT + CHUNKED + b"\r\nZZ\r\n"
    ),
    "expecting, long chunk head": data(HEAD + EXPECT + CHUNKED + b"\r\n1;" + b"x" * 90_000),
    "pipelined, expecting, bad chunk": data(
        GET + b"\r\n" + HEAD + EXPECT + CHUNKED + b"\r\nZZ\r\n"
    ),
    "bad chunk": data(HEAD + CHUNKED + b"\r\n", b"ZZ\r\n"),
    "no request": data(b"nonsense\r\n\r\n"),
    "no request, taken late": slow_reader,
    "much ahead": data(*[(GET + b"X-Long: %b\r\n\r\n" % (b"x" * 8000)) * 8] * 3),
    "large body": data(BIG, *[b"x" * 60_000] * 5),
    "half a body": data(HEAD + b"Content-Length: 9\r\n\r\nab"),
    "silence": data(),
    "half-closed": then(data(GET + b"\r\n"), Wire.eof_received),
    "shut down": then(data(GET + b"\r\n"), Wire.shutdown),
    "shut down in a body": then(data(HEAD + b"Content-Length: 9\r\n\r\nab"), Wire.shutdown),
    "cut": then(data(GET + b"\r\n"), Wire.cut),
}
FRAILTIES = (
    "write", "write_eof", "pause_reading", "resume_reading", "close", "abort", "getsockname",
    "getpeername", "fileno",
)  # fmt: skip


def converse(say: Say, pipe: Frail) -> App:
    """To the end; raises what reaches the loop."""
    app, complaints = App(), []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        wire = connected(app, pipe, 5.0)
        pipe.attach(wire)
        say(wire, pipe)
        await settle()
        await asyncio.sleep(60)
        if not pipe.is_closing():
            with suppress(OSError):
                pipe.close()
        await settle()
        assert not wire.connections, "the server still counts the connection"
        assert len(asyncio.all_tasks()) == 1, "somebody still waits"

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())
    assert not complaints
    return app


@pytest.mark.parametrize("name", TALKS)
@pytest.mark.parametrize("failing", FRAILTIES)
def test_a_caller_who_has_left_is_no_fault_of_ours(name: str, failing: str) -> None:
    """Whichever call the system refuses, and whichever time: nothing is raised, neither into the
    application nor the loop; the connection is over and everybody has been told."""
    sound = Frail()
    assert converse(TALKS[name], sound).faults == []
    for at in range(min(sound.calls.count(failing), 8)):
        pipe = Frail(failing, at)
        assert converse(TALKS[name], pipe).faults == []
        assert pipe.is_closing()
        assert pipe.was_cut or failing in ("getpeername", "fileno")


def test_these_talks_ask_everything_of_a_connection() -> None:
    """Else the matrix would prove less than it says."""
    asked = set()
    for say in TALKS.values():
        pipe = Frail()
        converse(say, pipe)
        asked |= set(pipe.calls)
    assert asked >= set(FRAILTIES) - {"abort"}
