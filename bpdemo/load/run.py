"""`LoadRun`: a run that draws itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bpdemo.core.members import forgiving_class
from bpdemo.core.slips import forgiving
from bpdemo.results.run import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go

ALL_PANELS = ("top", "middle", "bottom")


@forgiving_class
class LoadRun(Run):
    """The outcome of a load, real or simulated; `Run` says what it holds.

    Displayed in a notebook, a run is its picture.
    """

    @forgiving
    def figure(self, panels: Iterable[str] = ALL_PANELS) -> go.Figure:
        """The picture, or those of its panels that are named: top, middle, bottom.

        The bottom one shows the service from inside, and is left out where it tells nothing.
        """
        from bpdemo.picture.picture import picture, told_panels

        return picture(self, panels=told_panels(tuple(panels), [self]))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle: dict[str, Any] = dict(self.figure()._repr_mimebundle_(include, exclude) or {})
        return bundle | {"text/plain": self.sentence}
