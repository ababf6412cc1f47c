"""A transport that does not mind whether its peer is still there.

A caller may leave at any moment, and the system may say so with whatever is asked of the
connection next: the end of a side raises where a write would have been forgiven, and a write after
it is an error of the program. None of that concerns the application, whose answer nobody takes.
"""

import asyncio
import sys
from contextlib import suppress
from typing import Any

if sys.platform != "win32":
    import fcntl
    import termios


class SteadyTransport(asyncio.Transport):
    """Passes on what is asked; where the system refuses it, the connection is cut.

    Nothing is written once our side has ended. It counts what is written, and so knows how much of
    it the peer has taken.
    """

    __slots__ = ("_has_ended", "_loop", "_transport", "_written_bytes")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._has_ended = False
        self._written_bytes = 0

    @property
    def taken_bytes(self) -> int:
        """Of all that was written, what neither asyncio nor the system still has to send."""
        waits_in_system = unsent_bytes(self._transport.get_extra_info("socket"))
        return self._written_bytes - self.get_write_buffer_size() - waits_in_system

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._has_ended:
            return
        self._written_bytes += len(data)
        try:
            self._transport.write(data)
        except OSError:
            self.abort()

    def can_write_eof(self) -> bool:
        return self._transport.can_write_eof()

    def write_eof(self) -> None:
        """End our side once all that was written has left. Needs to be told by `written`."""
        if self._has_ended or not self.can_write_eof():
            return
        self._has_ended = True
        if self.get_write_buffer_size():
            # asyncio would end it by itself then, out of reach of any `except`.
            self._transport.set_write_buffer_limits(0)
        else:
            self._end()

    def written(self) -> None:
        """What had to wait has left."""
        if self._has_ended:
            self._loop.call_soon(self._end)  # not in the middle of asyncio's own writing

    def close(self) -> None:
        try:
            self._transport.close()
        except OSError:
            self.abort()

    def abort(self) -> None:
        with suppress(OSError):  # there is nothing left to cut
            self._transport.abort()

    def pause_reading(self) -> None:
        try:
            self._transport.pause_reading()
        except OSError:
            self.abort()

    def resume_reading(self) -> None:
        try:
            self._transport.resume_reading()
        except OSError:
            self.abort()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def _end(self) -> None:
        try:
            if not self.is_closing():
                self._transport.write_eof()
        except OSError:
            self.abort()


def unsent_bytes(socket: Any) -> int:
    """What was sent on it and the peer's system has not acknowledged; 0 where this is not told.

    Linux keeps megabytes for a peer who reads slowly, and says that there is room again only when a
    third of that is free: to asyncio such a peer looks like one who does not read.
    """
    if sys.platform == "win32" or socket is None:
        return 0
    try:
        told = fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, bytes(4))
    except (OSError, ValueError):  # this system does not tell, or it is closed
        return 0
    return int.from_bytes(told, sys.byteorder)
