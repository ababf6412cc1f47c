"""Hearing a hang-up before the application listens, without losing what the caller says meanwhile.

ASGI has one channel for both: the messages of the body come from `receive`, and so does the end of
the connection. So listening for the end reads the body too, and must hand it on.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Message, Receive

#: As much of a body is read ahead. The rest stays with the server, whose flow control holds the
#: caller back; a hang-up behind it is heard by the application.
MOST_BYTES = 65_536


class Lookahead:
    """Reads messages for an application that is not there yet, and then is its `receive`.

    Call `close` at the end.
    """

    __slots__ = ("_error", "_listener", "_messages", "_on_hang_up", "_receive", "hung_up")

    def __init__(self, receive: "Receive") -> None:
        self._receive = receive
        self._messages: deque[Message] = deque()
        self._error: BaseException | None = None
        self._on_hang_up: Callable[[], None] | None = None
        self._listener: asyncio.Task[None] | None = None
        self.hung_up = False

    def listen(self, on_hang_up: Callable[[], None]) -> None:
        """Call `on_hang_up` when the caller hangs up, until `stop`."""
        self._on_hang_up = on_hang_up
        self._listener = asyncio.get_running_loop().create_task(self._listen(), name="lookahead")

    def stop(self) -> None:
        """Read no further than the message that is awaited already: that one cannot be called
        off without the risk of losing it, so it goes to the application."""
        self._on_hang_up = None

    def close(self) -> None:
        """The request is over, and nobody will ask for more."""
        self.stop()
        if self._listener is not None:
            self._listener.cancel()

    async def receive(self) -> "Message":
        """What was read ahead, in order, and from there on what the server says."""
        while not self._messages and self._listener is not None and not self._listener.done():
            # Unlike awaiting it, this does not end it when the application stops waiting.
            await asyncio.wait((self._listener,))
        if self._messages:
            return self._messages.popleft()
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return await self._receive()

    async def _listen(self) -> None:
        ahead_bytes = 0
        while self._on_hang_up is not None and ahead_bytes < MOST_BYTES:
            try:
                message = await self._receive()
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                self._error = error  # for the application, which would have met it
                return
            self._messages.append(message)
            ahead_bytes += len(message.get("body", b""))
            if message["type"] == "http.disconnect":
                self.hung_up = True
                if self._on_hang_up is not None:
                    self._on_hang_up()
                return
