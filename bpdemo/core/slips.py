"""A learner's slip is told in a line: no fifty lines of this package's own code above it.

`forgiving` wraps what a learner calls. An argument that does not exist is answered with the nearest
that does; one of another kind than its annotation says, on which something stumbled further down,
is named; an error that our own checks raise on purpose is shown in a box. What is raised by
accident although every argument is of its kind keeps its traceback, since that is a fault of ours.
An interrupt, which is the learner's own wish, is a line.
"""

from __future__ import annotations

import dis
import functools
import inspect
import re
from collections.abc import Callable
from inspect import Parameter
from typing import Any, Final, ParamSpec, TypeVar

from bpdemo.core.box import calm, runs_own_code, say_instead
from bpdemo.core.kinds import called, class_called, misfit
from bpdemo.core.nearest import or_meant

P = ParamSpec("P")
R = TypeVar("R")

RAISE: Final = dis.opmap["RAISE_VARARGS"]
#: What a caller does not write down.
ITSELF: Final = ("self", "cls")
UNKNOWN: Final = re.compile(r"unexpected keyword argument '(\w+)'")


def forgiving(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, whose slips are told in a line. Errors that were raised on purpose keep
    their types; an argument of another kind is a TypeError."""
    signature = inspect.signature(function)
    called_by = function.__qualname__.rpartition(".")[2]

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        # A class is called by its own name, whichever class of its kind has the method.
        name = type(args[0]).__name__ if called_by == "__init__" else called_by
        try:
            given = _given(signature, name, args, kwargs)
            try:
                return function(*args, **kwargs)
            except Exception as error:
                # Whatever a library says of it, or an object without that name: see the argument.
                if _is_on_purpose(error) and not isinstance(error, AttributeError):
                    raise
                told = misfit(signature, inspect.unwrap(function).__globals__, given)
                if not told:
                    raise
                raise TypeError(f"{name}(): {told}") from None
        except (TypeError, ValueError, OSError) as error:
            if _is_on_purpose(error):
                calm(error)
            raise
        except KeyboardInterrupt as interrupt:
            # Where it struck says something only of the learner's own code.
            if not hasattr(interrupt, "_render_traceback_") and not runs_own_code(interrupt):
                say_instead(interrupt, f"Stopped: {name}() was interrupted.")
            raise

    return guarded


def _given(
    signature: inspect.Signature, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """The arguments by name. TypeError, with the nearest parameter's name, if they do not fit."""
    try:
        return signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        told = str(error).rstrip(".").replace("missing", "is missing", 1)
        if "is missing" in told and len(needed := _needed(signature)) > 1:
            told += f"; it needs {', '.join(needed)}"
    # An argument that is misspelt is why another is missing.
    unknown = UNKNOWN.search(told)
    strange = unknown[1] if unknown else _unknown(signature, kwargs)
    if not strange and "too many positional" in told:
        told = _beyond(signature, args)
    if strange:
        taken = [each for each in signature.parameters if each not in ITSELF]
        told = f"got an unexpected keyword argument {strange!r}"
        told += _as_setting(strange, taken) or or_meant(strange, taken, "it takes")
    raise TypeError(f"{name}() {told}")


def _needed(signature: inspect.Signature) -> list[str]:
    """What must be given."""
    several = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return [
        name
        for name, each in signature.parameters.items()
        if each.default is each.empty and each.kind not in several and name not in ITSELF
    ]


def _as_setting(name: str, taken: list[str]) -> str:
    """Where a setting of the service is to be written that was given to something else; empty for
    what is none."""
    settings = getattr(class_called("Settings"), "model_fields", {})
    if name not in settings:
        return ""
    if "settings" in taken:
        return f": it is a setting, and they come together, as in {{{name!r}: …}}"
    return f": it is a setting of the service, as in serve({name}=…)"


def _beyond(signature: inspect.Signature, args: tuple[Any, ...]) -> str:
    """What to do with the first argument that has no place without its name."""
    all_, without = list(signature.parameters.values()), Parameter.POSITIONAL_OR_KEYWORD
    taken = [p.name for p in all_ if p.kind is without]
    extra = called(args[len(taken)])
    named = [p.name for p in all_ if p.kind is Parameter.KEYWORD_ONLY]
    own = ", ".join(name for name in taken if name not in ITSELF)
    if not named and not any(p.kind is Parameter.VAR_KEYWORD for p in all_):
        return f"takes {f'no more than {own}' if own else 'no arguments'}; {extra} is one too many"
    names = f" ({', '.join(named)})" if named else ", as in name=value"
    first = f"{own} first, and " if own else ""
    return f"takes {first}its {'other ' * bool(own)}arguments by name{names}; {extra} has none"


def _unknown(signature: inspect.Signature, kwargs: dict[str, Any]) -> str:
    kinds = {each.kind for each in signature.parameters.values()}
    if Parameter.VAR_KEYWORD in kinds:
        return ""
    return next((name for name in kwargs if name not in signature.parameters), "")


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
