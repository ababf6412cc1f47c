"""What kind of thing an argument is to be, as its annotation says, and whether it is one."""

from __future__ import annotations

import inspect
import numbers
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from inspect import Parameter, Signature
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodType,
    NoneType,
    SimpleNamespace,
    UnionType,
)
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

WORDS: Final[Mapping[Any, str]] = {
    NoneType: "None",
    bool: "True or False",
    float: "a number",
    int: "a whole number",
    str: "a text",
}
NUMBERS: Final[Mapping[Any, Any]] = {float: numbers.Real, int: numbers.Integral}
SHOWN: Final = 60
"""So many characters of an argument are quoted."""


def misfit(signature: Signature, globals_: dict[str, Any], given: Mapping[str, Any]) -> str:
    """The first argument that is not what its annotation asks for, in words; empty if all are.

    What an annotation cannot tell, such as a type that nothing has imported, fits.
    """
    for name, value in given.items():
        parameter = signature.parameters[name]
        hint = _hint(parameter, globals_)
        # One annotation stands for each of `*services`.
        for each in value if parameter.kind is Parameter.VAR_POSITIONAL else [value]:
            if not fits(each, hint):
                return wrong_kind(name, described(hint), each)
    return ""


def wrong_kind(name: str, wanted: str, value: object) -> str:
    """The sentence for an argument that is no `wanted`."""
    told = f"{name} must be {wanted}, not {called(value)}"
    if isinstance(value, FunctionType | MethodType):
        told += f". Did you mean {_owner_of(value)}{value.__name__}(…)?"
    return told


def _owner_of(value: FunctionType | MethodType) -> str:
    """What a method of a class is called by, as in `Settings.unprotected`; whose method it is of an
    object's cannot be told, nor of a function."""
    owner = getattr(value, "__self__", None)
    return f"{owner.__name__}." if isinstance(owner, type) else ""


def fits(value: object, hint: Any) -> bool:
    """Whether the value is of that kind; True where that cannot be told."""
    hint = _bound(hint)
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(fits(value, part) for part in parts)
    if origin is Literal:
        return any(value is part or value == part for part in parts)
    if origin is not None:
        return _is_a(value, origin) and _holds(value, origin, parts)
    if hint in NUMBERS:
        return isinstance(value, NUMBERS[hint]) and not isinstance(value, bool)
    return value is None if hint is None else _is_a(value, hint)


def described(hint: Any) -> str:
    """The kind in words: "a number or None", "a dict, each value a whole number"."""
    hint = _bound(hint)
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(described(part) for part in parts)
    if origin is Literal:
        return f"one of {', '.join(map(str, parts))}"
    if origin is Callable:
        return "a function"
    if origin is tuple:
        return f"a tuple of {len(parts)}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        keys = "" if parts[0] is str else _each("key", parts[0])
        return f"a dict{keys}{_each('value', parts[-1])}"
    if origin is not None:
        return f"a list{_each('entry', parts[0])}"
    return WORDS.get(hint) or _named(hint)


def called(value: object) -> str:
    """What stands there instead, as its reader would call it."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, FunctionType | BuiltinFunctionType):
        return f"the function {value.__name__}"
    if isinstance(value, MethodType):
        return f"the method {_owner_of(value)}{value.__name__}"
    told = repr(value)
    return told if len(told) <= SHOWN else f"{told[:SHOWN]}…"


def _hint(parameter: Parameter, globals_: dict[str, Any]) -> Any:
    """The annotation as an object; Any where there is none, or where it cannot be read."""
    if parameter.annotation is Parameter.empty or parameter.kind is Parameter.VAR_KEYWORD:
        return Any
    holder = SimpleNamespace(__annotations__={"it": parameter.annotation})
    found: dict[str, Any] = {}
    while True:
        try:
            return get_type_hints(holder, globals_, found)["it"]
        except NameError as error:  # imported for type checkers alone
            name = str(error.name)
            if name in found or not (kind := _defined(name)):
                return Any
            found[name] = kind


#: Libraries as annotations abbreviate them.
SHORT: Final[Mapping[str, str]] = {"go": "plotly.graph_objects", "np": "numpy", "pd": "pandas"}


def _defined(name: str) -> Any:
    """The class of this package that is called so, if anything has imported it, or the library."""
    if name in SHORT:
        with suppress(ImportError):  # it is not installed: then nothing is one of its kinds
            return import_module(SHORT[name])
    return class_called(name)


def class_called(name: str) -> Any:
    """The class of this package that is called so, if anything has imported it."""
    modules = [module for at, module in [*sys.modules.items()] if at.startswith("bpdemo.")]
    found = (getattr(module, "__dict__", {}).get(name) for module in modules)
    return next((kind for kind in found if isinstance(kind, type)), None)


def _bound(hint: Any) -> Any:
    """What a type variable stands for at least; any other annotation as it is."""
    return (hint.__bound__ or Any) if isinstance(hint, TypeVar) else hint


def _members(kind: Any) -> list[str]:
    """What a protocol asks for; nothing where the kind is none."""
    if not getattr(kind, "_is_protocol", False):
        return []
    kinds = [each for each in kind.__mro__ if getattr(each, "_is_protocol", False)]
    names = {name for each in kinds for name in [*vars(each), *inspect.get_annotations(each)]}
    return sorted(name for name in names if not name.startswith("_"))


def _is_a(value: object, kind: Any) -> bool:
    if members := _members(kind):
        return all(hasattr(value, name) for name in members)
    try:
        return isinstance(value, kind)
    except TypeError:  # Any, or a protocol that asks for no more than a call
        return True


def _holds(value: Any, origin: Any, parts: tuple[Any, ...]) -> bool:
    """Whether what a collection holds fits, too; a text is no collection of texts."""
    if isinstance(value, str | bytes) and origin not in (str, bytes):
        return False
    if isinstance(value, Mapping):
        return all(fits(key, parts[0]) and fits(each, parts[-1]) for key, each in value.items())
    if isinstance(value, tuple) and origin is tuple:
        return len(value) == len(parts) and all(map(fits, value, parts))
    if isinstance(value, list | tuple):
        return all(fits(each, parts[0]) for each in value)
    return True


def _each(what: str, hint: Any) -> str:
    return "" if hint is Any else f", each {what} {described(hint)}"


def _named(kind: Any) -> str:
    if members := _members(kind):
        return f"something with {' and '.join(members)}"
    name = getattr(kind, "__name__", str(kind))
    return f"a{'n' * (name[0] in 'AEIOU')} {name}"
