"""Of a claim that must fail, only what it takes to judge it.

The cells of a claim make all their runs before the first claim is judged, and a claim whose
mechanism is broken often fails before most of them are looked at. Here a run is made when its first
figure is. It depends on nothing but its arguments, so that each claim that is judged gets the very
figure that it would have got.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

#: What gives another figure, and is not worked out before that is looked at.
PARTS = {"between", "edges_s", "summary", "total"}


class Later:
    """A run, or what is taken from it: made once, when something is done with it that shows."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make: Callable[[], Any] | None = make
        self._made: Any = None

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(now(self))

    def __getattr__(self, name: str) -> Any:
        if name in PARTS:
            return Later(lambda: getattr(now(self), name))
        return getattr(now(self), name)

    def __getitem__(self, key: Any) -> Any:
        return Later(lambda: now(self)[key])

    def __call__(self, *words: Any, **named: Any) -> Any:
        return Later(lambda: now(self)(*words, **named))

    def __abs__(self) -> Any:
        return Later(lambda: abs(now(self)))


def now(value: Any) -> Any:
    """The value itself, made if it was not yet."""
    if type(value) is not Later:
        return value
    if value._make is not None:
        value._made, value._make = now(value._make()), None
    return value._made


def _later(of: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given: Later(lambda: of(*map(now, given)))


def _at_once(of: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given: of(*map(now, given))


for _name in ("add", "sub", "mul", "truediv"):
    _of = getattr(operator, _name)
    setattr(Later, f"__{_name}__", _later(_of))
    setattr(Later, f"__r{_name}__", _later(lambda b, a, of=_of: of(a, b)))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Later, f"__{_name}__", _at_once(getattr(operator, _name)))
for _shown in (float, int, bool, str, repr, len, iter, hash, format):
    setattr(Later, f"__{_shown.__name__}__", _at_once(_shown))


def later(make: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, whose result is worked out when something of it is looked at."""
    return lambda *words, **named: Later(lambda: make(*map(now, words), **named))


def without_words(cell: ast.Module) -> ast.Module:
    """The cell without what is only read: prints, what is revealed or shown, and sentences."""
    return ast.Module([each for each in cell.body if not _is_read(each)], cell.type_ignores)


def _is_read(statement: ast.stmt) -> bool:
    value = getattr(statement, "value", None)
    if isinstance(statement, ast.Expr):
        called = getattr(value, "func", None)
        return isinstance(value, ast.Name) or getattr(called, "id", "") in ("print", "reveal")
    return isinstance(statement, ast.Assign | ast.AugAssign) and _is_sentence(value)


def _is_sentence(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        return value.func.attr == "format" and isinstance(value.func.value, ast.Constant)
    return isinstance(value, ast.JoinedStr)
