"""One request and its answer, between the connection and the application."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from bpdemo.api.connection.hang_up import nothing

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent

_CONTINUE = b"HTTP/1.1 100 "


class Exchange(RequestResponseCycle):
    """As uvicorn has it, but the connection decides when to read on, and is told when it may."""

    #: Called when the application has taken a piece of the body.
    on_taken: Callable[[], None]

    async def receive(self) -> "ASGIReceiveEvent":
        may_ask = not (self.disconnected or self.transport.is_closing())
        if self.waiting_for_100_continue and may_ask:
            self.transport.write(_CONTINUE + b"Continue\r\n\r\n")
            self.waiting_for_100_continue = False
        if not self.disconnected and not self.response_complete:
            await self.message_event.wait()
            self.message_event.clear()
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self.body = bytes(self.body), bytearray()
        self.on_taken()
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    def abandon(self) -> None:
        """Nobody will take the answer."""
        if not self.response_complete:
            self.disconnected = True
            self.message_event.set()


class WholeAnswer:
    """What answers are written to: the head waits for the first piece of the body, so that most
    answers leave in one packet, and cost one system call where uvicorn makes two.

    One serves a connection: answers are given one at a time.
    """

    __slots__ = ("_end", "_head", "_transport", "is_closing")

    def __init__(self, transport: asyncio.Transport, end: Callable[[], None]) -> None:
        """`end` ends the connection, gently."""
        self._transport = transport
        self._end = end
        self._head: bytes | None = None  # None before it, b"" once it has left
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        if self._head is None and not data.startswith(_CONTINUE):
            self._head = data
        elif self._head:
            head, self._head = self._head, b""
            self._transport.write(head + data)
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """The answer has ended, or broken off."""
        if self._head:  # of one that is a head alone
            self._transport.write(self._head)
        self._head = None

    def close(self) -> None:
        self.flush()
        self._end()

    def forget(self) -> None:
        """Let go of the connection, which is over: there is nothing to end."""
        self._end = nothing
