"""What a process of ours says on standard output when it takes work."""

from __future__ import annotations

import sys
from collections.abc import Callable

from bpdemo.core.settings import Settings


class ReadyLine:
    """Said once, to a person or to the program that waits for it; `stop` ends the process where
    nobody can hear it."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._broken: BrokenPipeError | None = None

    def say(self, *lines: str) -> None:
        # A disk that is full is kept by the command line's own standard output until the end, since
        # a result may be on its way into a file. These lines are all that there is.
        try:
            print(*lines, sep="\n", flush=True)
        except BrokenPipeError as error:
            self._broken = error
        if self._broken or getattr(sys.stdout, "error", None):
            self._stop()

    def require_heard(self) -> None:
        """Raises BrokenPipeError if its reader had left: the process has ended for that."""
        if self._broken:
            raise self._broken


def at_terminal() -> bool:
    """Whether a person reads standard output as it comes."""
    return sys.stdout.isatty()


def readable_at_terminal(settings: Settings) -> Settings:
    """With log lines as text where a person reads them, unless a format was asked for."""
    asked = "log_format" in settings.model_fields_set
    if asked or sys.stderr is None or not sys.stderr.isatty():
        return settings
    return settings.model_copy(update={"log_format": "console"})
