"""Standard output that may be full, or have lost its reader."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn, TextIO


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


def run_command(run: Callable[[], int]) -> NoReturn:
    """End the program with the exit code that `run` gives, whatever became of standard output."""
    _survive_narrow_consoles()
    given, outlet = sys.stdout, take_standard_output()
    try:
        code = run()
        outlet.flush()
        if outlet.error:
            end(f"standard output took no more ({outlet.error.strerror})")
        raise SystemExit(code)
    except BrokenPipeError:
        outlet.abandon()
        raise SystemExit(1) from None
    finally:
        if given is None:
            outlet.close()
        sys.stdout = given


def end(why: str, code: int = 2) -> NoReturn:
    """End the program with one line on standard error."""
    with suppress(OSError):  # it may be full, too
        print(f"bpdemo: {' '.join(why.split())}", file=sys.stderr, flush=True)
    raise SystemExit(code)


def _survive_narrow_consoles() -> None:
    # A Windows console may know neither × nor …: a question mark is better than an end.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
