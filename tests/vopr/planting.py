"""Plants a fault in the service's code, for a while, in this process alone.

The module's source is changed in one place and compiled anew; then the code of its functions is
exchanged, so that every module that has imported them has the fault too.
"""

import importlib
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any


@dataclass(frozen=True)
class Plant:
    """In `module`, `right` (which stands there once) becomes `wrong`."""

    name: str
    module: str
    right: str
    wrong: str

    def source(self) -> str:
        """The module with the fault. Raises ValueError when the code has moved on."""
        text = inspect.getsource(importlib.import_module(self.module))
        if text.count(self.right) != 1:
            found = text.count(self.right)
            raise ValueError(f"{self.name}: found {found} times in {self.module}: {self.right!r}")
        return text.replace(self.right, self.wrong)


@contextmanager
def planted(plant: Plant) -> Iterator[None]:
    """The service has this fault inside the `with` block."""
    module = importlib.import_module(plant.module)
    changed = _compiled(plant.source(), module)
    before: list[tuple[FunctionType, CodeType]] = []
    for name, function in _functions(vars(module), plant.module).items():
        other = changed.get(name)
        if other is not None and other.__code__ != function.__code__:
            before.append((function, function.__code__))
            function.__code__ = other.__code__
    if not before:
        raise ValueError(f"{plant.name}: changes no function of {plant.module}")
    try:
        yield
    finally:
        for function, code in before:
            function.__code__ = code


def _compiled(source: str, module: ModuleType) -> dict[str, FunctionType]:
    namespace: dict[str, Any] = {"__name__": module.__name__, "__package__": module.__package__}
    exec(compile(source, module.__file__ or "", "exec"), namespace)
    return _functions(namespace, module.__name__)


def _functions(namespace: dict[str, Any], module: str) -> dict[str, FunctionType]:
    """Every function of the module, the methods of its classes among them, by qualified name."""
    found: dict[str, FunctionType] = {}
    for value in namespace.values():
        if isinstance(value, type) and value.__module__ == module:
            found |= _functions(dict(vars(value)), module)
        for function in _within(value):
            if function.__module__ == module:
                found[function.__qualname__] = function
    return found


def _within(value: object) -> Iterator[FunctionType]:
    if isinstance(value, property):
        yield from (f for f in (value.fget, value.fset) if isinstance(f, FunctionType))
    elif isinstance(value, classmethod | staticmethod):
        yield from _within(value.__func__)
    elif isinstance(value, FunctionType):
        yield value
