"""One line that tells how a running load is doing, where somebody may be looking."""

from __future__ import annotations

import html
import importlib
import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from bpdemo.core.box import passing, shell_here

if TYPE_CHECKING:
    from bpdemo.load.driver import LoadProgress

QUIET_S: Final = 2.0
"""Shorter loads need no progress."""


#: The lines that stand in a notebook now: who would say that something is going on need not.
OPEN: Final[set[object]] = set()


class _NotebookLine:
    """A line of HTML below the cell, where there is one, that vanishes at the end."""

    def __init__(self) -> None:
        self._display: Any = None

    def _open(self, text: str) -> None:
        self._display = _ipython().display(_html(passing(text)), display_id=True)
        OPEN.add(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        OPEN.discard(self)
        if self._display is not None:
            self._display.update(_html(""))


class ProgressLine(_NotebookLine):
    """In a notebook a line of HTML that vanishes at the end, on a terminal a line of
    stderr. Anywhere else, and for short loads, nothing."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._wanted = seconds > QUIET_S
        self._terminal = False

    def __enter__(self) -> Self:
        if self._wanted and _in_notebook():
            self._open("Locust is starting …")
        elif self._wanted:
            self._terminal = sys.stderr.isatty()
        return self

    def update(self, progress: LoadProgress | None) -> None:
        if progress is None:
            return
        if self._display is not None:
            share = min(1.0, progress.t_s / progress.seconds)
            bar = f'<progress value="{share:.3f}" style="width:12em"></progress>'
            self._display.update(_html(passing(f"{bar} {html.escape(progress.line())}")))
        elif self._terminal:
            sys.stderr.write(f"\r\x1b[K{progress.line()}")
            sys.stderr.flush()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._terminal:
            sys.stderr.write("\r\x1b[K")


def _in_notebook() -> bool:
    return getattr(shell_here(), "kernel", None) is not None


def _ipython() -> Any:
    return importlib.import_module("IPython.display")


def _html(text: str) -> Any:
    return _ipython().HTML(text)


class ProgressText(_NotebookLine):
    """A line that says what is going on, over and over: in a notebook one that vanishes at the
    end, on a terminal a line of stderr each, as is `say` where it is given."""

    def __init__(self, say: Callable[[str], object] | None = None) -> None:
        super().__init__()
        self._say = say

    def __enter__(self) -> Self:
        return self

    def show(self, text: str) -> None:
        if self._say is not None:
            self._say(text)
        elif self._display is not None:
            self._display.update(_html(passing(_told(text))))
        elif _in_notebook():
            self._open(_told(text))  # not before: where nothing is said no empty line is left
        elif sys.stderr.isatty():
            sys.stderr.write(f"{text} …\n")


def _told(text: str) -> str:
    return f"<i>{html.escape(text)} …</i>"
