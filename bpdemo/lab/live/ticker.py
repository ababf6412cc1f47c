"""A thread that does one thing a few times a second, until it is told to stop."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Final

RUNNING: Final[weakref.WeakSet[Ticker]] = weakref.WeakSet()
"""Those of this kernel, so that `stop_all` finds them."""


class Ticker:
    """Calls `tick` every `period_s`, and at once when nudged. One call at a time, in one thread."""

    def __init__(self, tick: Callable[[], None], period_s: float, name: str) -> None:
        self._tick = tick
        self._period_s = period_s
        self._nudged = threading.Event()
        self._over = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        RUNNING.add(self)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def nudge(self) -> None:
        """Do not wait for the period to pass."""
        self._nudged.set()

    def stop(self, within_s: float = 5.0) -> None:
        """No further tick; waits for the one under way. Safe to call twice, and from a tick."""
        self._over = True
        self._nudged.set()
        if self._thread is not threading.current_thread():
            self._thread.join(within_s)

    def _run(self) -> None:
        while not self._over:
            self._tick()
            self._nudged.wait(self._period_s)
            self._nudged.clear()


def stop_tickers() -> None:
    """Stop every ticker of this kernel."""
    for ticker in list(RUNNING):
        ticker.stop()
