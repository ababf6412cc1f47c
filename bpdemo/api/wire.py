"""The connection, below ASGI: what uvicorn leaves open to callers who are slow or odd on purpose.

uvicorn waits for ever for a head, for a body that nobody reads, and for a caller who does not read
his answers; it takes a head of any size, keeps what follows the last chunk of a body as if it were
headers, and says no to an unreadable request even in the middle of the answer to the one before.
"""

import asyncio
from typing import Any, Literal

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from bpdemo.api.arrival import READ_BY_KEY
from bpdemo.api.hang_up import HANG_UP_KEY, HangUp
from bpdemo.api.problems import CONTENT_TYPE, render_problem

#: Of a head; and of whatever a chunked body consists of besides its content, between two pieces.
MAX_HEAD_BYTES = 65_536
#: Far more than anybody has use for, and soon read.
MAX_HEADERS = 100
TOO_MANY_HEADERS = f"A request may have {MAX_HEADERS} headers at most."
#: Fed to the parser at once; the head's size is known to this precision.
_SLICE_BYTES = 16_384
_CONTINUE = b"HTTP/1.1 100 "


class _WholeAnswer:
    """What uvicorn writes one answer to: the head waits for the first piece of the body, so that
    most answers leave in one packet, and cost one system call where uvicorn makes two."""

    __slots__ = ("_head", "_transport", "_waits", "is_closing")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self._waits = True  # for the head
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        if self._waits and not data.startswith(_CONTINUE):
            self._waits, self._head = False, data
        elif self._head:
            head, self._head = self._head, b""
            self._transport.write(head + data)
        else:
            self._transport.write(data)

    def close(self) -> None:
        if self._head:  # of an answer that broke off
            self.write(b"")
        self._transport.close()


class Wire(HttpToolsProtocol):
    """A request must be complete `read_timeout_s` (0: no limit) after its first byte; a caller who
    has not read on for so long, with an answer to take, is cut off."""

    def __init__(self, *args: Any, read_timeout_s: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_timeout_s = read_timeout_s
        self._timer: asyncio.TimerHandle | None = None
        self._due_s: float | None = None  # by when the caller must have said it all
        self._reading: Literal["nothing", "head", "body"] = "nothing"
        self._overhead_bytes = 0
        self._taking: asyncio.TimerHandle | None = None  # runs while answers are not taken
        self._deaf = False  # what follows cannot be understood any more
        self._hang_up = HangUp()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._due_s = None
        if self._timer is not None:
            self._timer.cancel()
        self._stop_taking()
        super().connection_lost(exc)
        self._hang_up.happen()

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _SLICE_BYTES):
            if self._deaf or self.transport.is_closing():
                return
            self._feed(data[start : start + _SLICE_BYTES])

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading, self._overhead_bytes = "head", 0
        self._due_s = None  # the pause between two requests is over
        self._start_timer()

    def on_headers_complete(self) -> None:
        if len(self.headers) > MAX_HEADERS:
            raise ValueError(TOO_MANY_HEADERS)  # ends the parsing: see `send_400_response`
        waits_its_turn = self._owes_answer
        super().on_headers_complete()
        self._reading = "body"
        scope: Any = self.scope
        scope[HANG_UP_KEY] = self._hang_up
        if scope["method"] != "HEAD":  # whose answer is a head alone
            self.cycle.transport = _WholeAnswer(self.transport)  # type: ignore[assignment]
        # What follows a chunked body must not become headers of a request that was let in already.
        self.headers = []
        if self.parser.should_upgrade():
            # We never upgrade, but the parser takes the rest, even this one's body, for the other
            # protocol.
            self.cycle.keep_alive = False
            self._deaf = True
        if self._due_s and not waits_its_turn:
            scope[READ_BY_KEY] = self._due_s

    def on_body(self, body: bytes) -> None:
        self._overhead_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._reading = "nothing"
        self._due_s = None
        super().on_message_complete()
        if not self.pipeline:
            self.flow.resume_reading()  # a long body may have paused it, and a hang-up is read too

    def on_response_complete(self) -> None:
        self._expect_taking()
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        # As uvicorn does, but for its timer, which is set and cancelled anew for each request.
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        if self._reading == "nothing" or self._due_s is None:
            self._expect(self.timeout_keep_alive)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_taking()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_taking()  # he reads: his time begins anew
        self._expect_taking()

    def send_400_response(self, msg: str) -> None:
        if self._reading == "head" and len(self.headers) > MAX_HEADERS:
            self._refuse(431, TOO_MANY_HEADERS)
        else:
            self._refuse(400, msg)

    @property
    def _is_untaken(self) -> bool:
        """Whether a part of the answers so far waits for the caller to read on."""
        return bool(self.transport.get_write_buffer_size())

    def _expect_taking(self) -> None:
        if self._taking is None and self._read_timeout_s and self._is_untaken:
            self._taking = self.loop.call_later(self._read_timeout_s, self._cut_if_untaken)

    def _stop_taking(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def _cut_if_untaken(self) -> None:
        self._taking = None
        if self._is_untaken:
            # A gentle close would wait for the caller too, and keep his place and our memory.
            self.transport.abort()

    @property
    def _owes_answer(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request
        return cycle is not None and not cycle.response_complete

    def _feed(self, data: bytes) -> None:
        super().data_received(data)
        if self._reading != "nothing":
            self._weigh(len(data))
        if self._reading != "head" and not self._owes_answer:
            self._hurry()

    def _weigh(self, fed_bytes: int) -> None:
        self._overhead_bytes += fed_bytes
        if self._deaf:
            return
        if self._reading == "head" and len(self.headers) > MAX_HEADERS:
            self._refuse(431, TOO_MANY_HEADERS)
        elif self._overhead_bytes > MAX_HEAD_BYTES:
            self._refuse(431, f"The {self._reading} of the request is too large.")

    def _start_timer(self) -> None:
        if self._read_timeout_s:
            self._expect(self._read_timeout_s)

    def _hurry(self) -> None:
        """He sends what asks for nothing: line breaks, or a body that was answered before it came.

        That must not hold the connection, however often it is done.
        """
        within_s = self._read_timeout_s or self.timeout_keep_alive
        if self._due_s is None or self._due_s > self.loop.time() + within_s:
            self._expect(within_s)

    def _expect(self, within_s: float) -> None:
        """Something must come by then, or `_give_up`."""
        self._due_s = self.loop.time() + within_s
        # One timer serves many requests: it looks again at what is due when it rings. To set and
        # cancel one for each would cost some microseconds every time.
        if self._timer is not None and self._timer.when() <= self._due_s:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_at(self._due_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._due_s is None:
            return
        if self._due_s > self.loop.time():
            self._timer = self.loop.call_at(self._due_s, self._ring)
        else:
            self._give_up()

    def _give_up(self) -> None:
        self._due_s = None
        if self._reading == "head":
            self._refuse(408, "The head of the request did not arrive in time.")
        elif self._owes_answer:
            self.cycle.keep_alive = False  # whoever reads the body sees for himself that it is late
        else:
            self.transport.close()  # nothing was asked, so there is nothing to answer

    def _refuse(self, status: int, detail: str) -> None:
        """Say no, where that cannot be taken for the answer to another request; then close."""
        self._deaf = True
        if self._reading == "body":
            may_speak = not (self.cycle.response_started or self.pipeline)
        else:
            may_speak = not self._owes_answer
        if may_speak:
            self.transport.write(_render(status, detail))
        elif self._owes_answer:
            self.cycle.keep_alive = False  # it is the last one
            return
        self.transport.close()


def _render(status: int, detail: str) -> bytes:
    reason = "read_timeout" if status == 408 else "invalid_request"
    body = render_problem(reason, detail, status=status)
    return (
        STATUS_LINE[status]
        + b"content-type: %b\r\ncontent-length: %d\r\n" % (CONTENT_TYPE, len(body))
        + b"connection: close\r\n\r\n"
        + body
    )
