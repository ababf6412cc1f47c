"""What a learner holds in their hands: an object whose methods forgive slips, and which names what
it has when it is asked for something that it has not.

`forgiving_class` is for classes whose objects notebooks use. The methods are those of `slips`; a
name that is not there stays an AttributeError, told in a line with the nearest that is.
"""

from __future__ import annotations

import difflib
import dis
import inspect
import sys
from collections.abc import Iterable
from types import FrameType, FunctionType
from typing import Any, Final, TypeVar

from bpdemo.core.box import SaysItself, calm, is_our_frame
from bpdemo.core.slips import forgiving

K = TypeVar("K", bound=type)

IMPORT_FROM: Final = dis.opmap["IMPORT_FROM"]


def forgiving_class(kind: K) -> K:
    """The same class, with `forgiving` around what a caller calls by name."""
    for name, value in [*vars(kind).items()]:
        if name.startswith("_") and name != "__init__":
            continue
        if isinstance(value, FunctionType) and not hasattr(value, "__wrapped__"):
            setattr(kind, name, forgiving(value))
        elif isinstance(value, classmethod) and not hasattr(value.__func__, "__wrapped__"):
            setattr(kind, name, classmethod(forgiving(value.__func__)))
    # Not by a method in the class, which would tell type checkers that every name is there.
    kind.__getattr__ = _missing  # type: ignore[attr-defined]
    return kind


def tell_missing(owner: str, name: str, thing: object) -> AttributeError:
    """The error for a name that is not there, shown in a line."""
    return tell_missing_of(owner, name, [each for each in dir(thing) if not each.startswith("_")])


def tell_missing_of(owner: str, name: str, names: Iterable[str]) -> AttributeError:
    """The same of something that has those names."""
    error = AttributeError(_sought_in_vain(owner, name, names))
    calm(error)
    return error


def imports_from(frame: FrameType) -> bool:
    """Whether that code is at a `from … import …`, and does not just ask for a name."""
    return frame.f_code.co_code[frame.f_lasti] == IMPORT_FROM


def tell_not_imported(owner: str, name: str, names: Iterable[str]) -> ImportError:
    """The same for a name that `from owner import name` asks for."""
    error = ImportError(_sought_in_vain(owner, name, names), name=name)
    calm(error)
    return error


class Figures(dict[str, float]):
    """Figures by name. A name that is not among them is told with the nearest that is."""

    def __missing__(self, name: Any) -> float:
        if is_our_frame(sys._getframe(1)):
            raise KeyError(name)
        raise NoSuchFigure(_sought_in_vain("this summary", name, self))


class NoSuchFigure(SaysItself, KeyError):
    """A KeyError that is a sentence, where another shows but the key."""

    def __str__(self) -> str:
        return str(self.args[0])


def _sought_in_vain(owner: str, name: object, names: Iterable[str]) -> str:
    known = list(names)
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    told = f". Did you mean {near[0]}?" if near else f"; it has {', '.join(known)}"
    return f"{owner} has no {name!r}{told}"


def _missing(self: Any, name: str) -> Any:
    """Where Python has looked for a name in vain."""
    kind = type(self)
    if inspect.getattr_static(kind, name, None) is not None:
        return object.__getattribute__(self, name)  # a property's own error, which led here
    # Programs ask for these, to learn what an object can do; and a fault of ours is no slip.
    if name.startswith("_") or is_our_frame(sys._getframe(1)):
        raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")
    raise tell_missing(kind.__name__, name, self)
