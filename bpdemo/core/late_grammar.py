"""A grammar that takes a second to build is built when it is first asked.

JupyterLab's server imports jsonschema, and so does whatever draws a figure in a notebook. It finds
`rfc3987_syntax` there, which builds its grammar when it is imported; hardly anybody ever asks it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any, Final

PACKAGE: Final = "rfc3987_syntax"
WHOLE: Final = f"{PACKAGE}.syntax_helpers"
"""The module in it that has everything it offers."""


class LateGrammar(ModuleType):
    """Stands where the package would, its submodules in reach; its names load the grammar."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system asks of every module
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(WHOLE), name)

    @staticmethod
    def is_valid_syntax(term: str, value: str) -> bool:
        """What jsonschema takes from it when it is imported itself."""
        valid: bool = importlib.import_module(WHOLE).is_valid_syntax(term, value)
        return valid


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
