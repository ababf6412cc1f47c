"""Standard error as a target for log lines that never makes the service wait."""

import os
import select
import sys
from io import TextIOWrapper

from bpdemo.telemetry.logs import TextTarget

#: As much as a pipe that is ready for anything takes in one piece.
PIECE_BYTES = getattr(select, "PIPE_BUF", 512)


def standard_error() -> TextTarget:
    """What lines go to by default: the descriptor itself, where it can be asked if it is ready.

    Anyone who has put another stream in the place of `sys.stderr` gets what is written there.
    """
    stream = sys.stderr
    if os.name != "posix" or not isinstance(stream, TextIOWrapper) or stream is not sys.__stderr__:
        return stream
    try:
        return ReadyTarget(stream)
    except (OSError, ValueError):  # it has no descriptor, or is closed
        return stream


class ReadyTarget:
    """Hands over what the other side takes at once, and raises `BlockingIOError` for the rest.

    A pipe that nobody reads is full after a while. Waiting for its reader would stop the event
    loop, and with it every order: rather a line is lost. The descriptor's mode is left alone,
    since other processes may share it.
    """

    def __init__(self, stream: TextIOWrapper) -> None:
        self._fd = stream.fileno()
        self._stream = stream
        self._broken_off = False  # in the middle of a line

    def write(self, text: str, /) -> None:
        data = text.encode(self._stream.encoding, "backslashreplace")
        if self._broken_off:
            data = b"\n" + data
        while data:
            self._require_ready()
            written = os.write(self._fd, data[:PIECE_BYTES])
            data = data[written:]
            self._broken_off = bool(data)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return self._stream.isatty()

    def _require_ready(self) -> None:
        if not select.select([], [self._fd], [], 0)[1]:
            raise BlockingIOError(f"descriptor {self._fd} takes nothing now")
