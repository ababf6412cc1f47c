"""A load generator that is kept ready in a notebook, so that a load begins at once.

To load Locust takes half a second. So where a learner tries one load after the other, the process
for the next one is started when a load is over, never while one runs, and waits. Each process sends
one load, as always; only its start lies before it. Not on Windows, where nothing tells a process
that waits from one that sends, as `company` must.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from bpdemo.core.box import shell_here
from bpdemo.core.environment import own_environment
from bpdemo.load.child import Child
from bpdemo.load.under_way import is_any_under_way

MODULE: Final = "bpdemo.load.generator.locust_spare"
UNUSED_S: Final = 120.0
"""So long it is kept for a load; then its owner ends it."""
LIFETIME_S: Final = 150
"""After so long without a load it ends by itself, if nobody has: what was forked off its owner
keeps the pipe open that would have told of the owner's end."""
#: Of the command line of a load, what starts Python and names the module.
_PYTHON: Final = 3


class Spare(Child):
    """The process. What it says, and its end, is heard by those who have handed it a load."""

    def __init__(self, lifetime_s: int = LIFETIME_S) -> None:
        self._handing = threading.Lock()
        self._has_ended = False
        self.waits = threading.Event()
        """Set when all is loaded. One that is handed a load before that begins it when it is."""
        self._heard: Callable[[str], object] = self._note
        self._ended: Callable[[int], object] = int
        super().__init__(
            [sys.executable, "-m", MODULE, str(lifetime_s)],
            on_line=self._hear,
            on_exit=self._end,
        )

    def hand(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        on_line: Callable[[str], object],
        on_exit: Callable[[int], object],
    ) -> bool:
        """From now on it is what `Child` would have started with these, and its end is told. False
        if it had ended by then: this one no longer can."""
        with self._handing:
            if self._has_ended:
                return False
            self._heard, self._ended = on_line, on_exit
        load = {"arguments": list(command[_PYTHON:]), "environment": own_environment(env)}
        message = json.dumps(load)  # in ASCII: as many bytes as characters
        self.say(f"{len(message):08d}{message}")
        return True

    def _hear(self, line: str) -> None:
        self._heard(line)

    def _note(self, _: str) -> None:
        self.waits.set()

    def _end(self, code: int) -> None:
        with self._handing:
            self._has_ended, tell = True, self._ended
        tell(code)


class Spares:
    """The one that is kept, if any. Thread-safe."""

    def __init__(self, unused_s: float = UNUSED_S) -> None:
        self._unused_s = unused_s
        self._lock = threading.Lock()
        self._kept: Spare | None = None
        self._timer: threading.Timer | None = None

    def renew(self) -> None:
        """Start one, unless one waits already."""
        if os.name == "nt":
            return
        with self._lock:
            if self._kept and self._kept.is_alive:
                return
            self._drop()
            self._kept = Spare()
            self._timer = threading.Timer(self._unused_s, self._expire, [self._kept])
            self._timer.daemon = True
            self._timer.start()

    def take(self) -> Spare | None:
        """The one that waits, for a load; nobody else gets it. None if there is none."""
        with self._lock:
            taken, self._kept = self._kept, None
            self._drop()
        return taken if taken and taken.is_alive else None

    def stop(self) -> None:
        """End it."""
        with self._lock:
            ended, self._kept = self._kept, None
            self._drop()
        if ended:
            ended.stop()

    @property
    def kept(self) -> Spare | None:
        with self._lock:
            return self._kept

    def _expire(self, unused: Spare) -> None:
        with self._lock:
            if self._kept is not unused:
                return  # it was taken in this moment
            self._kept = None
        unused.stop()

    def _drop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


SPARES: Final = Spares()
"""Of this process: a notebook's kernel."""


def renew_in_notebook() -> None:
    """Keep one ready, if this is the kernel of a notebook: there somebody is about to go on. A
    command sends its loads, and ends. Nor while a load runs, which its start would disturb. Where
    the system has no room for one more process, a load will say so when it needs it."""
    if hasattr(shell_here(), "kernel") and not is_any_under_way():
        with suppress(OSError, RuntimeError):
            SPARES.renew()
