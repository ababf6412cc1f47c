"""A learner's slip is told in a line: no fifty lines of this package's own code above it.

`forgiving` wraps each public function of `bpdemo.lab`. An argument that does not exist is answered
with the nearest that does; an error that our own checks raise on purpose is shown in a box. What
is raised by accident keeps its traceback, since that is a fault of ours.
"""

from __future__ import annotations

import difflib
import dis
import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar

from bpdemo.core.box import slip_box

P = ParamSpec("P")
R = TypeVar("R")

RAISE: Final = dis.opmap["RAISE_VARARGS"]
UNKNOWN: Final = re.compile(r"unexpected keyword argument '(\w+)'")


def forgiving(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, whose slips are told in a line. Errors keep their types."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            _require_fit(signature, function.__name__, args, kwargs)
            return function(*args, **kwargs)
        except (TypeError, ValueError) as error:
            if _is_on_purpose(error):
                _calm(error)
            raise

    return called


def _require_fit(
    signature: inspect.Signature, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """TypeError, with the nearest parameter's name, for a call that does not fit."""
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        told = str(error).rstrip(".").replace("missing", "is missing", 1)
        if unknown := UNKNOWN.search(told):
            near = difflib.get_close_matches(unknown[1], signature.parameters, n=1, cutoff=0.5)
            told += f". Did you mean {near[0]}?" if near else f"; it takes {_listed(signature)}"
        raise TypeError(f"{name}() {told}") from None


def _listed(signature: inspect.Signature) -> str:
    return ", ".join(signature.parameters) or "no arguments"


def _is_on_purpose(error: BaseException) -> bool:
    """Whether a `raise` of this package gave it, and not a call that went wrong inside."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    frame = trace.tb_frame
    is_ours = frame.f_globals.get("__name__", "").startswith("bpdemo.")
    return is_ours and frame.f_code.co_code[trace.tb_lasti] == RAISE


def _calm(error: BaseException) -> None:
    # An instance may render itself: the type stays what callers catch.
    error._render_traceback_ = lambda: slip_box(error)  # type: ignore[attr-defined]
