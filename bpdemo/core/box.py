"""A calm box of text in a notebook, for what needs no traceback through this package.

IPython asks an error for `_render_traceback_` and prints the lines that it gives.
"""

from __future__ import annotations

import linecache
import sys
import textwrap
from collections.abc import Iterator, Sequence
from types import FrameType, TracebackType
from typing import Any, Final

WIDTH: Final = 76
LIBRARIES: Final = "-packages"
"""What the folders of installed ones are called by."""

PASSING: Final = "bp-passing"


def shell_here() -> Any:
    """IPython's shell, if it runs; only that of a notebook has a `kernel`. Loads nothing."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def passing(html: str) -> str:
    """A line that is to go when its cell ends, so that it is known in a notebook which was saved
    meanwhile."""
    return f'<span class="{PASSING}">{html}</span>'


def boxed(title: str, details: Sequence[str] = ()) -> list[str]:
    """Lines that draw a frame around a title and, below it, one paragraph for each detail."""
    inside = textwrap.wrap(title, WIDTH)
    for detail in details:
        inside += ["", *textwrap.wrap(detail, WIDTH, subsequent_indent="  ")]
    width = max((len(line) for line in inside), default=0)
    rule = "─" * (width + 2)
    return [f"╭{rule}╮", *(f"│ {line:<{width}} │" for line in inside), f"╰{rule}╯"]


def slip_box(error: BaseException) -> list[str]:
    """What went wrong, and the reader's own line that led there; none of ours."""
    called = _callers_line(error.__traceback__)
    return boxed(f"{type(error).__name__}: {error}", [called] if called else [])


def calm(error: BaseException) -> None:
    """This one error is shown in a box: its type stays what callers catch."""
    error._render_traceback_ = lambda: slip_box(error)  # type: ignore[attr-defined]


def say_instead(error: BaseException, line: str) -> None:
    """This one error is shown as that line, with nothing around it."""
    error._render_traceback_ = lambda: [line]  # type: ignore[attr-defined]


def runs_own_code(error: BaseException) -> bool:
    """Whether it comes out of code of the caller's that this package called: their function."""
    ours = [is_our_frame(frame) for frame, _ in _frames(error.__traceback__)]
    names = [frame.f_globals.get("__name__") for frame, _ in _frames(error.__traceback__)]
    return True in ours and "__main__" in names[ours.index(True) :]


class SaysItself:
    """An error whose message is all that its reader needs: a notebook shows it in a box."""

    def _render_traceback_(self) -> list[str]:
        assert isinstance(self, BaseException)
        return slip_box(self)


def _callers_line(trace: TracebackType | None) -> str:
    """The line of the caller's that entered this package, such as "line 2: serve(worker=8)"."""
    before = None
    for frame, line in _frames(trace):
        if is_our_frame(frame):
            break
        if LIBRARIES not in frame.f_code.co_filename:  # such as pandas, where nobody would look
            before = frame.f_code.co_filename, line
    else:
        return ""
    if before is None:
        return ""
    source = linecache.getline(*before).strip()
    return f"line {before[1]}: {source}" if source else ""


def is_our_frame(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith("bpdemo.")


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next
