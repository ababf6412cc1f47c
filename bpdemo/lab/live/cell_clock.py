"""A cell that takes its time says so: how long it has been running, until it ends.

Loads, starts and scores have lines of their own. But a lesson simulates for many seconds, and a
cell that stands there without a word looks as if it hung.
"""

from __future__ import annotations

import sys
import threading
import time
from contextvars import copy_context
from importlib import import_module
from typing import Any, Final

from bpdemo.core.box import passing, shell_here

QUIET_S: Final = 2.0
PERIOD_S: Final = 1.0
LINES: Final = "bpdemo.load.progress_line"


class CellClock:
    """Runs while a cell runs. `display` shows a text below it, and gives what can change it."""

    def __init__(self, display: Any, quiet_s: float = QUIET_S, period_s: float = PERIOD_S) -> None:
        self._display, self._quiet_s, self._period_s = display, quiet_s, period_s
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, _: object = None) -> None:
        """A cell begins."""
        self.end()
        self._over = threading.Event()
        # In the cell's own context, by which the kernel knows below which cell to show something.
        told = copy_context().run
        self._thread = threading.Thread(
            target=told, args=(self._run, self._over), name="cell clock", daemon=True
        )
        self._thread.start()

    def end(self, _: object = None) -> None:
        """It is over: the line vanishes before the next cell begins."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        self._thread = None

    def _run(self, over: threading.Event) -> None:
        began_s, line, wait_s = time.monotonic(), None, self._quiet_s
        while not over.wait(wait_s):
            wait_s = self._period_s
            took_s = time.monotonic() - began_s
            told = "" if _another_tells() else passing(f"<i>Running for {took_s:.0f} s …</i>")
            if line is not None:
                line.update(_html(told))
            elif told:
                line = self._display(_html(told), display_id=True)
        if line is not None:
            line.update(_html(""))


def watch_cells() -> None:
    """From now on, and in the cell that runs, where this is a notebook's kernel. Safe to call
    twice."""
    shell = shell_here()
    if shell is None or getattr(shell, "kernel", None) is None:
        return
    known = shell.events.callbacks["pre_run_cell"]
    if any(isinstance(getattr(each, "__self__", None), CellClock) for each in known):
        return
    clock = CellClock(_display_module().display)
    shell.events.register("pre_run_cell", clock.begin)
    shell.events.register("post_run_cell", clock.end)
    clock.begin()


def _another_tells() -> bool:
    """Whether a line with more in it stands there already."""
    return bool(getattr(sys.modules.get(LINES), "OPEN", ()))


def _html(text: str) -> Any:
    return _display_module().HTML(text)


def _display_module() -> Any:
    return import_module("IPython.display")
