"""The picture of a load under way, drawn again and again in place."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go

from bpdemo.load.run import LoadRun
from bpdemo.picture import panels as draw
from bpdemo.picture.picture import picture, repaint
from bpdemo.picture.sheet import PANELS, Format
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records, Samples

if TYPE_CHECKING:
    from bpdemo.load.loads import RunningLoad

SPANS_S: Final = (20.0, 40.0, 60.0)
"""Ends of the time axis: it grows in steps, so that the picture stands still in between."""

COCKPIT: Final = Format(
    width_px=826,
    rows={
        "top": ((draw.ribbon, 22, 34), (draw.fates, 94, 13)),
        "middle": ((draw.latency, 52, 13),),
        "bottom": ((draw.queue, 50, 18),),
    },
    has_title=False,
    mark_levels=2,
    names={"requests per second": "requests/s", "time to answer": "answer"},
    steady=True,
)
"""Fits below the knobs on a laptop's screen; enlarged on the page by `ZOOM`."""

ZOOM: Final = 1.125

ZOOMED: Final = """<style>
.bp-room:has(> .{name}) {{container-type: inline-size; width: 100%; overflow-x: auto}}
.{name} {{zoom: {zoom}; zoom: min({zoom}, 100cqi / {width_px}px)}}
</style>"""
"""Enlarged, or as much smaller as the room makes it; the first of both where a browser cannot
divide lengths, which then shows a scroll bar."""


class LateFigure(go.FigureWidget):  # type: ignore[misc]
    """A FigureWidget that a page which comes late, as after a reload, gets as it stands.

    Plotly's own hands out the figure as it was made, with the axes of an empty picture; and what it
    sends later are differences from the picture that the late page has never seen.
    """

    @staticmethod
    def _remove_overlapping_props(*_: Any) -> list[Any]:
        """What a page says that it has drawn leaves what was given here as it is.

        Plotly's own drops what the page repeats, and fails where that is an array: a traceback in
        JupyterLab's log for each time that a picture is drawn.
        """
        return []

    def keep(self) -> None:
        """Hand out from now on what is drawn now. Pages that are open already hear nothing."""
        # Past the traits, whose change would send all of it to every page; each value is replaced
        # whole, so that a page may ask from another thread.
        self._trait_values["_widget_layout"] = self._layout_obj.to_plotly_json()
        self._trait_values["_widget_data"] = [dict(trace) for trace in self._data]


class LivePicture:
    """A FigureWidget with all of its traces from the start. Draws under a lock: one writer."""

    def __init__(
        self,
        form: Format = COCKPIT,
        zoom: float = ZOOM,
        panels: Sequence[str] = PANELS,
        spans_s: Sequence[float] = SPANS_S,
    ) -> None:
        import ipywidgets as widgets

        self.form = form
        self._panels = tuple(panels)
        self._spans_s = spans_s
        self._lock = threading.Lock()
        self.figure = LateFigure(self._drawn(nothing(spans_s[0]), 0.0))
        self.figure._config = {"displayModeBar": False, "staticPlot": True}
        name = f"bp-zoom-{zoom * 1000:.0f}"
        style = widgets.HTML(ZOOMED.format(name=name, zoom=zoom, width_px=form.width_px))
        style.layout.display = "none"
        frame = widgets.Box([self.figure]).add_class(name)
        frame.layout.overflow = "visible"
        self.widget: Any = widgets.VBox([style, frame]).add_class("bp-room")

    def show(self, run: LoadRun, span_s: float = 0.0) -> None:
        """A run that is over, or one that was recorded, as far as it goes."""
        self._paint(self._drawn(run, span_s))

    def clear(self, capacity_per_s: float | None) -> None:
        """An empty picture, before anything has happened."""
        self.show(nothing(self._spans_s[0], capacity_per_s))

    def show_load(self, running: RunningLoad, looks: Sequence[Sequence[float]]) -> None:
        """A load as far as it is settled; the queue up to the last of `looks`.

        What became of an order is known only when its time is over, and the load generator reports
        twice a second. The queue can be asked at once: `looks` are rows as `Samples` has them.
        """
        run = running.snapshot()
        seen = Samples.of(list(looks))
        fresh = self._drawn(run, self.span_s(running.now_s), _most(seen))
        if "bottom" in self._panels:
            _go_on(fresh, run, seen)
        self._paint(fresh)

    def span_s(self, now_s: float) -> float:
        """Where the time axis ends at this moment."""
        return next((span_s for span_s in self._spans_s if now_s < span_s), now_s)

    def _drawn(self, run: LoadRun, span_s: float, jobs: float = 0.0) -> go.Figure:
        fresh = picture(run, self._panels, self.form, span_s, jobs)
        fresh.layout.hovermode = False
        return fresh

    def _paint(self, fresh: go.Figure) -> None:
        with self._lock:
            repaint(self.figure, fresh)
            self.figure.keep()


def nothing(seconds: float, capacity_per_s: float | None = None) -> LoadRun:
    """A run without orders."""
    meta = Meta(name="", seconds=seconds, capacity_per_s=capacity_per_s)
    return LoadRun(Records.of([], [], []), Samples.none(), meta)


def _most(looks: Samples) -> float:
    """The highest that the lines of the queue have been seen."""
    columns = (looks.queue_depth, looks.queue_capacity, looks.workers_busy)
    return float(max(max(column, default=0.0) for column in columns))


def _go_on(fresh: go.Figure, run: LoadRun, looks: Samples) -> None:
    """Draw the three lines of the queue on from where the run's own samples end."""
    later = looks.t_s > run.meta.seconds
    columns = (looks.queue_depth, looks.queue_capacity, looks.workers_busy)
    for trace, column in zip(fresh.data[-3:], columns, strict=True):
        values = np.where(column < 0, np.nan, column)[later]
        trace.x = np.concatenate((trace.x, looks.t_s[later]))
        trace.y = np.concatenate((trace.y, values))
