"""A frame of pandas for a learner's hands: a column that it has not is told in a line.

Import it where it is used: pandas takes a second to load.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from bpdemo.core.members import NoSuchFigure, tell_missing_of
from bpdemo.core.nearest import or_meant

OWNER: Final = "this frame"


class Table(pd.DataFrame):
    """All that pandas makes of it by rows and columns is one as well."""

    @property
    def _constructor(self) -> Any:
        return Table

    def __getitem__(self, key: Any) -> Any:
        try:
            return super().__getitem__(key)
        except KeyError:
            asked = key if isinstance(key, list) else [key]
            strange = next((each for each in asked if each not in self.columns), None)
            if not isinstance(strange, str):
                raise
        raise NoSuchFigure(f"{OWNER} has no {strange!r}{or_meant(strange, self._names())}")

    if not TYPE_CHECKING:  # to which no name would be missing

        def __getattr__(self, name):
            try:
                return super().__getattr__(name)
            except AttributeError:
                # Libraries ask for names to learn what there is, and are answered as ever.
                if name.startswith("_") or sys._getframe(1).f_globals.get("__name__") != "__main__":
                    raise
            raise tell_missing_of(OWNER, name, self._names())

    def _names(self) -> list[str]:
        return [str(each) for each in self.columns]
