"""The connection, below ASGI: what uvicorn leaves open to callers who are slow on purpose.

uvicorn waits for ever for the head of a request, and takes one of any size. The body's limits are
kept further in, where it is read.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from bpdemo.api.problems import CONTENT_TYPE, render_problem

MAX_HEAD_BYTES = 65_536


class Wire(HttpToolsProtocol):
    """A head must be complete `read_timeout_s` (0: no limit) after it could begin."""

    def __init__(self, *args: Any, read_timeout_s: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_timeout_s = read_timeout_s
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431, "The head of the request is too large.")
                return
        try:
            super().data_received(data)
        except UnicodeDecodeError:
            self.send_400_response("The request line is not ASCII.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head_timer is None:  # a later request on a kept connection
            self._await_head()

    def on_headers_complete(self) -> None:
        self._cancel_timer()
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, msg)

    def _await_head(self) -> None:
        if self._read_timeout_s:
            self._head_timer = self.loop.call_later(self._read_timeout_s, self._give_up)

    def _cancel_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        if self._head_bytes:
            self._refuse(408, "The head of the request did not arrive in time.")
        else:
            self.transport.close()  # nothing was asked, so there is nothing to answer

    def _refuse(self, status: int, detail: str) -> None:
        reason = "read_timeout" if status == 408 else "invalid_request"
        body = render_problem(reason, detail, status=status)
        head = (
            b"content-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
            % (CONTENT_TYPE, len(body))
        )
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()
