"""A frame of pandas for a learner's hands: a column that it has not is told in a line.

Import it where it is used: pandas takes a second to load.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from bpdemo.core.box import calm, runs_own_code
from bpdemo.core.members import NoSuchFigure, tell_missing_of
from bpdemo.core.nearest import or_meant

OWNER: Final = "this frame"
#: Methods of pandas that take names of columns, or an expression with some.
BY_NAME: Final = (
    *("agg", "aggregate", "drop", "drop_duplicates", "eval", "groupby", "join", "melt", "merge"),
    *("nlargest", "nsmallest", "pivot", "pivot_table", "query", "set_index", "sort_values"),
)
#: Those that look for `@name` among the local variables of their caller.
LOOK_AROUND: Final = ("eval", "query")
NO_MATPLOTLIB: Final = (
    "pandas draws by matplotlib, which the workshop does not bring. run.figure() draws a run, and "
    "line_figure({name: {x: y}}, title=…, x=…, y=…) lines of your own"
)


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
                if name.startswith("_") or not _asked_by_a_learner(sys._getframe(1)):
                    raise
            raise tell_missing_of(OWNER, name, self._names())

    def _repr_html_(self) -> str | None:
        """A sentence in a cell is shown whole: a page has room, and breaks its lines."""
        with pd.option_context("display.max_colwidth", None):
            shown: str | None = super()._repr_html_()  # type: ignore[misc]
        return shown

    @property
    def plot(self) -> Any:
        if find_spec("matplotlib") is None and _asked_by_a_learner(sys._getframe(1)):
            error = ImportError(NO_MATPLOTLIB)
            calm(error)
            raise error
        return super().plot

    def _names(self) -> list[str]:
        return [str(each) for each in self.columns]


def _told_in_a_line(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method of pandas, where a learner's own cell calls it."""

    @functools.wraps(method)
    def called(self: Table, *args: Any, **kwargs: Any) -> Any:
        if method.__name__ in LOOK_AROUND:
            kwargs["level"] = kwargs.get("level", 0) + 1  # for this function is none of those
        try:
            return method(self, *args, **kwargs)
        except Exception as error:
            if not _asked_by_a_learner(sys._getframe(1)) or runs_own_code(error):
                raise
            strange = _strange_name(self, [*args, *kwargs.values()], error)
            if not strange:
                calm(error)
                raise
        raise NoSuchFigure(f"{OWNER} has no {strange!r}{or_meant(strange, self._names())}")

    return called


def _strange_name(table: Table, given: list[Any], error: Exception) -> str | None:
    """The name that was given and is no column's, if the error is about one."""
    flat = [one for each in given for one in (each if isinstance(each, list) else [each])]
    if not isinstance(error, KeyError):
        return None
    unknown = (one for one in flat if isinstance(one, str) and one not in table.columns)
    return next((one for one in unknown if repr(one) in str(error)), None)


def _asked_by_a_learner(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") == "__main__"


for _name in BY_NAME:
    setattr(Table, _name, _told_in_a_line(getattr(pd.DataFrame, _name)))
