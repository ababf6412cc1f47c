"""What a learner holds in their hands: an object whose methods forgive slips, and which names what
it has when it is asked for something that it has not.

`forgiving_class` is for classes whose objects notebooks use. The methods are those of `slips`; a
name that is not there, in an object or in the class, stays an AttributeError, told in a line with
the nearest that is.
"""

from __future__ import annotations

import dis
import functools
import inspect
import sys
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from types import FrameType, FunctionType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bpdemo.core.box import SaysItself, calm, is_our_frame
from bpdemo.core.nearest import or_meant
from bpdemo.core.slips import forgiving

K = TypeVar("K", bound=type)

IMPORT_FROM: Final = dis.opmap["IMPORT_FROM"]


def forgiving_class(kind: K) -> K:
    """The same class, with `forgiving` around what a caller calls by name."""
    for name, value in [*vars(kind).items()]:
        if isinstance(value, property) and value.fget is not None:
            setattr(kind, name, value.getter(_remembering(value.fget)))
        elif isinstance(value, functools.cached_property):
            value.func = _remembering(value.func)
        if name.startswith("_") and name != "__init__":
            continue
        if isinstance(value, FunctionType) and not hasattr(value, "__wrapped__"):
            setattr(kind, name, forgiving(value))
        elif isinstance(value, classmethod) and not hasattr(value.__func__, "__wrapped__"):
            setattr(kind, name, classmethod(forgiving(value.__func__)))
    # Not by a method in the class, which would tell type checkers that every name is there.
    kind.__getattr__ = _missing  # type: ignore[attr-defined]
    return kind


class NamesWhatItHas(type):
    """The kind of a class that is itself asked for what it has, as in `LoadRun.open`."""

    if not TYPE_CHECKING:  # to which every name would be there

        def __getattr__(cls, name):
            if not name.startswith("_") and not is_our_frame(sys._getframe(1)):
                raise _tell_missing_in_class(cls, name)
            if above := getattr(super(), "__getattr__", None):
                return above(name)
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")


def naming_class(kind: K) -> K:
    """The same class, of that kind besides the one that a library has given it."""
    kind.__class__ = type(type(kind).__name__, (NamesWhatItHas, type(kind)), {})
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

    if not TYPE_CHECKING:  # to which every name would be there

        def __getattr__(self, name):
            if name.startswith("_") or is_our_frame(sys._getframe(1)):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            if name not in self:
                raise tell_missing_of("this summary", name, self)
            error = AttributeError(f"a figure is asked for in brackets: summary[{name!r}]")
            calm(error)
            raise error


class NoSuchFigure(SaysItself, KeyError):
    """A KeyError that is a sentence, where another shows but the key."""

    def __str__(self) -> str:
        return str(self.args[0])


def _sought_in_vain(owner: str, name: object, names: Iterable[str]) -> str:
    return f"{owner} has no {name!r}{or_meant(name, names)}"


#: What went wrong in the property that has just been asked for here, and whose it is.
_failure: ContextVar[tuple[object, AttributeError] | None] = ContextVar("failure", default=None)


def _remembering(getter: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same getter of a property. Python forgets why one failed before it calls `_missing`."""

    @functools.wraps(getter)
    def get(self: Any) -> Any:
        try:
            return getter(self)
        except AttributeError as error:
            _failure.set((self, error))
            raise

    return get


def _missing(self: Any, name: str) -> Any:
    """Where Python has looked for a name in vain, or a property has failed."""
    failure = _failure.get()
    _failure.set(None)
    if failure is not None and failure[0] is self:
        raise failure[1]
    kind = type(self)
    if inspect.getattr_static(kind, name, None) is not None:
        return object.__getattribute__(self, name)  # that of a class which is not forgiving
    # Programs ask for these, to learn what an object can do; and a fault of ours is no slip.
    if name.startswith("_") or is_our_frame(sys._getframe(1)):
        raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")
    raise tell_missing(kind.__name__, name, self)


def _tell_missing_in_class(kind: type, name: str) -> AttributeError:
    own = [each for each in kind.__mro__ if each.__module__.startswith("bpdemo.")]
    if any(name in inspect.get_annotations(each) for each in own):
        told = f"{kind.__name__} itself has no {name!r}: {kind.__name__}(…).{name} is what one has"
        error = AttributeError(told)
        calm(error)
        return error
    names = sorted({each for base in own for each in vars(base) if not each.startswith("_")})
    return tell_missing_of(kind.__name__, name, names)
