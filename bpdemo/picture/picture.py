"""The one picture of a run, as a figure of Plotly; `sheet.py` lays it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from bpdemo.core.kinds import fits, wrong_kind
from bpdemo.picture.sheet import PAGE, PANELS, Drawn, Format, one, two
from bpdemo.picture.shown import Shown
from bpdemo.results.marks import marks_of

if TYPE_CHECKING:
    from bpdemo.results.run import Run


def picture(
    run: Run,
    panels: Sequence[str] = PANELS,
    form: Format = PAGE,
    span_s: float = 0.0,
    jobs: float = 0.0,
) -> go.Figure:
    """One run. `panels` names those to draw, so that a lesson can build it up.

    `span_s` makes the time axis longer than the run, and `jobs` that of the queue higher, for one
    that is still under way.
    """
    return _figure(one(shown(run), panels, form, span_s, jobs))


def told_panels(panels: Sequence[str], runs: Sequence[Run]) -> Sequence[str]:
    """Those of `panels` that have something to show: what no service told is not drawn as zero."""
    if any(len(run.samples) for run in runs):
        return panels
    return tuple(panel for panel in panels if panel != "bottom") or panels


def side_by_side(
    a: Run, b: Run, names: tuple[str, str] | None = None, panels: Sequence[str] = PANELS
) -> go.Figure:
    """Two runs with the same axes, to be compared at a glance."""
    if names:
        if not fits(names, tuple[str, str]):
            raise TypeError(wrong_kind("names", "two texts, one for each run", names))
        a, b = a.named(names[0]), b.named(names[1])
    return _figure(two(shown(a), shown(b), told_panels(panels, [a, b])))


def shown(run: Run) -> Shown:
    """What a picture shows of that run."""
    return Shown(
        meta=run.meta,
        summary=run.summary,
        columns={name: values.tolist() for name, values in run.bins.items()},
        marks=marks_of(run.samples, run.meta),
        retries=bool((run.records.attempts > 1).any()),
        is_void=run.is_void,
    )


def refresh(
    figure: Any,
    run: Run,
    panels: Sequence[str] = PANELS,
    form: Format = PAGE,
    span_s: float = 0.0,
) -> None:
    """Show `run` in a figure (or FigureWidget) that `picture` made with these panels and format.

    Data is replaced in place. One writer at a time: Plotly's batches are not thread-safe.
    """
    repaint(figure, picture(run, panels, form, span_s))


def repaint(figure: Any, fresh: go.Figure) -> None:
    """Show `fresh`, a figure of the same panels, in `figure`: as `refresh` does."""
    with figure.batch_update():
        for old, new in zip(figure.data, fresh.data, strict=True):
            old.update(x=new.x, y=new.y)
        figure.layout.update(fresh.layout, overwrite=True)


def _figure(drawn: Drawn) -> go.Figure:
    """Columns become arrays, which travel to a page as bytes: JSON has no word for NaN."""
    for trace in drawn["data"]:
        trace |= {axis: np.asarray(trace[axis], dtype=float) for axis in ("x", "y")}
    return go.Figure(drawn["data"], drawn["layout"])
