"""The gentle end of a connection (RFC 9112, 9.6).

To close one whose caller still sends makes the system answer with a reset, which takes back what
was said last: the caller hears nothing of the refusal. So our side ends first, what still comes is
thrown away for a while, and then the connection is closed.
"""

import asyncio

from bpdemo.api.connection.steady import SteadyTransport

#: How long, and how much, is thrown away.
LINGER_S = 2.0
LINGER_BYTES = 6_000_000
#: How long at the end of the process, which nobody holds up.
AT_EXIT_S = 0.25


class Farewell:
    """Begun when it is made; `take` what comes then."""

    def __init__(self, transport: SteadyTransport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._left_bytes = LINGER_BYTES
        transport.write_eof()  # once all that was written has left
        self._timer = loop.call_later(LINGER_S, self._end)

    def take(self, count: int) -> None:
        self._left_bytes -= count
        if self._left_bytes <= 0:
            self._transport.close()

    def hurry(self) -> None:
        """The process ends."""
        self._timer.cancel()
        self._timer = self._loop.call_later(AT_EXIT_S, self._transport.close)

    def cancel(self) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        # To one who takes a long answer slowly the time counts from its last byte.
        if self._transport.get_write_buffer_size():
            self._timer = self._loop.call_later(LINGER_S, self._end)
        else:
            self._transport.close()
