"""Standard output that may be full, or have lost its reader."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any, TextIO


class Outlet:
    """Stands in for `sys.stdout` during a command.

    A disk that is full must not end a load before its result is in the file that was asked for: the
    first failure is kept, and what comes after it is let go. A reader that has left ends the
    command, as everywhere: `BrokenPipeError`.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def write(self, text: str, /) -> int:
        try:
            self._stream.write(text)
        except OSError as error:
            self._lose(error)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._lose(error)

    def abandon(self) -> None:
        """Let go of what is in the buffers: Python writes them once more when it ends."""
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _lose(self, error: OSError) -> None:
        self.abandon()
        if isinstance(error, BrokenPipeError):
            raise error
        self.error = self.error or error


def take_standard_output() -> Outlet:
    """Put an outlet in its place; one that is closed takes everything and shows nothing."""
    stream = sys.stdout
    # A program that is started with it closed has none at all.
    outlet = Outlet(stream if stream is not None else open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    sys.stdout = outlet
    return outlet
