"""A grammar that takes a second to build is built when it is first asked.

JupyterLab's server imports jsonschema, and so does whatever draws a figure in a notebook. It finds
`rfc3987_syntax` there, which builds its grammar when it is imported; hardly anybody ever asks it.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

PACKAGE: Final = "rfc3987_syntax"
_building: Final = threading.RLock()


class LateGrammar(ModuleType):
    """Stands where the package would, its submodules in reach, until it is asked for anything."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system asks of every module
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(_package(), name)

    @staticmethod
    def is_valid_syntax(term: str, value: str) -> bool:
        """What jsonschema takes from it when it is imported itself."""
        return _grammar()(term, value)


def _package() -> ModuleType:
    """The package itself, in the place of what stood there for it. Raises whatever it raises."""
    with _building:
        if isinstance(sys.modules.get(PACKAGE), LateGrammar):
            del sys.modules[PACKAGE]
        return importlib.import_module(PACKAGE)


@functools.cache
def _grammar() -> Callable[[str, str], bool]:
    """What jsonschema would have taken at once. Where it could not have imported that, it checks no
    such text: then every one is good. Any other trouble breaks jsonschema: here it does so late.
    """
    try:
        found: Callable[[str, str], bool] | None = getattr(_package(), "is_valid_syntax", None)
    except ImportError:
        found = None
    except ValueError as error:  # jsonschema would take it for a fault of the text
        raise RuntimeError(f"{PACKAGE} is broken: {error}") from error
    return found or (lambda _term, _value: True)


def build_grammar_late() -> None:
    """From now on, in this process. Does nothing where it is built already, or not installed."""
    if PACKAGE in sys.modules:
        return
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        return
    late = LateGrammar(PACKAGE)
    late.__spec__ = spec
    late.__path__ = spec.submodule_search_locations
    sys.modules[PACKAGE] = late
