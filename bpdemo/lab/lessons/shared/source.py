"""`show`: the real source of what a lesson talks about, with its file and lines."""

from __future__ import annotations

import inspect
import textwrap
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from bpdemo.core.members import forgiving_class

__all__ = ["Source", "show"]

PACKAGE_HOME: Final = Path(__file__).resolve().parents[4]


@forgiving_class
@dataclass(frozen=True, slots=True)
class Source:
    """Code as it stands in its file. Highlighted in a notebook, plain text elsewhere.

    `file` is relative to the package's home or to the current folder where it lies in one of them;
    `first_line` and `last_line` count from 1.
    """

    name: str
    file: str
    first_line: int
    last_line: int
    code: str

    @property
    def place(self) -> str:
        return f"{self.file}, lines {self.first_line}–{self.last_line}"

    def _repr_markdown_(self) -> str:
        # A fenced block, so that Jupyter highlights it in the colours of the reader's own theme.
        fence = "```"
        while fence in self.code:
            fence += "`"
        return f"**`{self.name}`** · {self.place}\n\n{fence}python\n{self.code}\n{fence}"

    def __repr__(self) -> str:
        return f"# {self.name} · {self.place}\n{self.code}"


def show(thing: Any) -> Source:
    """The source of a function, method, property, class or module, as it is running here.

    A method that a lesson has replaced shows the replacement. TypeError, naming what was given,
    where there is no Python source: a number, an instance, something written in C.
    """
    found = _unwrapped(thing)
    try:
        lines, start = inspect.getsourcelines(found)
        path = inspect.getsourcefile(found) or inspect.getfile(found)
    except (TypeError, OSError):
        raise TypeError(
            "show() takes a function, method, class or module written in Python, "
            f"not {_told(thing)}"
        ) from None
    first = max(start, 1)  # a module starts at 0
    code = textwrap.dedent("".join(lines)).rstrip("\n")
    return Source(_name_of(found), _short(path), first, first + len(lines) - 1, code)


def _unwrapped(thing: Any) -> Any:
    if isinstance(thing, property):
        thing = thing.fget
    elif isinstance(thing, (staticmethod, classmethod)):
        thing = thing.__func__
    return inspect.unwrap(thing) if callable(thing) and not inspect.isclass(thing) else thing


def _name_of(found: Any) -> str:
    if isinstance(found, ModuleType):
        return found.__name__
    return str(getattr(found, "__qualname__", None) or type(found).__name__)


def _told(thing: Any) -> str:
    text = repr(thing)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _short(path: str) -> str:
    """The path that the reader would type; a notebook's cell has none."""
    resolved = Path(path).resolve()
    if not resolved.exists():
        return "a cell of this notebook"
    for home in (PACKAGE_HOME, Path.cwd()):
        if resolved.is_relative_to(home):
            return resolved.relative_to(home).as_posix()
    return str(resolved)
