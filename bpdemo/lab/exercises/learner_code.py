"""Which of the running code is the learner's, and where in it something happened."""

from __future__ import annotations

import ast
import sys
import sysconfig
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, NoReturn

import bpdemo
from bpdemo.lab.exercises.answered import Slept

_OTHERS: Final = tuple(
    str(Path(folder).resolve())
    for folder in (
        str(Path(bpdemo.__file__).parent),
        *(sysconfig.get_paths()[kind] for kind in ("stdlib", "platstdlib", "purelib", "platlib")),
    )
)


def is_learners(filename: str) -> bool:
    """Neither Python's, nor a package's, nor ours: a notebook's cells have names of their own."""
    return not filename.startswith(("<frozen", "<string", *_OTHERS))


def defined_in(source: str) -> list[str]:
    """The names that a cell gives to functions, classes and values, in its order."""
    names: list[str] = []
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(statement.name)
        elif isinstance(statement, ast.Assign):
            names += [target.id for target in statement.targets if isinstance(target, ast.Name)]
    return names


def place_of(error: BaseException, lines: Sequence[str]) -> str:
    """`line 3, 'return full'`: the innermost line of the learner's that the error went through."""
    found = 0
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if is_learners(trace.tb_frame.f_code.co_filename):
            found = trace.tb_lineno
        trace = trace.tb_next
    return _told(found, lines)


def place_in(frame: FrameType | None, lines: Sequence[str]) -> str:
    """The same for code that is running; empty if none of it is the learner's."""
    while frame is not None:
        if is_learners(frame.f_code.co_filename):
            return _told(frame.f_lineno, lines)
        frame = frame.f_back
    return ""


def forbid_sleep() -> None:
    """From now on `time.sleep` ends the judgement if it is the learner who calls it."""
    sleep = time.sleep

    def watched(seconds: float) -> None:
        if is_learners(sys._getframe(1).f_code.co_filename):
            _refuse_sleep()
        sleep(seconds)

    time.sleep = watched  # type: ignore[assignment]


def _refuse_sleep() -> NoReturn:
    raise Slept


def _told(line: int, lines: Sequence[str]) -> str:
    if not line:
        return ""
    text = lines[line - 1].strip() if line <= len(lines) else ""
    return f"line {line}, “{text}”" if text else f"line {line}"
