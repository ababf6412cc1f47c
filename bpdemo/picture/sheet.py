"""The one picture, as Plotly takes it: fates, time to answer, queue; over time.

Laid out in pixels, so that text never meets text whatever the run. Plain Python, so that a browser
draws the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bpdemo.picture import panels as draw
from bpdemo.picture.cell import BASE_AXIS, Cell
from bpdemo.picture.frame import plain_layout
from bpdemo.picture.labels import levels, width_of, wrapped
from bpdemo.picture.palette import GREY, INK, SIMULATED, TEXT_PX, TITLE_PX
from bpdemo.picture.scale import Scale
from bpdemo.picture.shown import Shown
from bpdemo.picture.void import warned
from bpdemo.results.sentence import comparison

PANELS: Final = ("top", "middle", "bottom")

Row = tuple[Callable[[Cell], None], int, int]
"""Draws a panel; its height and the gap below it, in pixels."""

ROWS: Final[dict[str, tuple[Row, ...]]] = {
    "top": ((draw.ribbon, 30, 36), (draw.fates, 200, 22)),
    "middle": ((draw.latency, 116, 22),),
    "bottom": ((draw.queue, 100, 22),),
}

LEFT_PX: Final = 98
LABELS_PX: Final = 190
DOUBLE_LABELS_PX: Final = 160
SINGLE_PX: Final = 930
DOUBLE_PX: Final = 1000
BELOW_PX: Final = 36
MARK_PX: Final = 19
MARK_LEVELS: Final = 3


@dataclass(frozen=True, slots=True)
class Format:
    """How large a picture is, and what stands above its panels.

    `labels_px` is the margin to the right of the panels, where the lines have their names.
    `above_px` is kept free above the first panel, for an arrow where no ribbon gives it room.
    `names` are shorter ones for the axes of low panels. In a `steady` format the height does not
    depend on the run: a live picture must not jump.
    """

    width_px: int = SINGLE_PX
    labels_px: int = LABELS_PX
    rows: Mapping[str, tuple[Row, ...]] = field(default_factory=lambda: ROWS)
    has_title: bool = True
    mark_levels: int = MARK_LEVELS
    above_px: int = 0
    names: Mapping[str, str] = field(default_factory=dict)
    steady: bool = False


PAGE: Final = Format()
DOUBLE: Final = Format(width_px=DOUBLE_PX, labels_px=DOUBLE_LABELS_PX)


Drawn = dict[str, Any]
"""A figure as plain data: `data`, a list of traces, and `layout`."""


def one(
    run: Shown,
    panels: Sequence[str] = PANELS,
    form: Format = PAGE,
    span_s: float = 0.0,
    jobs: float = 0.0,
) -> Drawn:
    """One run. `panels` names those to draw; `span_s` makes the time axis longer than the run, and
    `jobs` is how many have been seen in the queue meanwhile."""
    result = warned(run.sentence, [run])
    title = f"{run.meta.name}: {result}" if form.has_title else ""
    return _Sheet([run], panels, form, title, span_s, jobs).figure()


def two(
    a: Shown,
    b: Shown,
    panels: Sequence[str] = PANELS,
    form: Format = DOUBLE,
    span_s: float = 0.0,
) -> Drawn:
    """Two runs with the same axes, to be compared at a glance."""
    return _Sheet([a, b], panels, form, comparison(a, b), span_s).figure()


class _Sheet:
    """A figure under construction: a column for each run, a row for each panel."""

    def __init__(
        self,
        runs: Sequence[Shown],
        panels: Sequence[str],
        form: Format,
        title: str,
        span_s: float = 0.0,
        jobs: float = 0.0,
    ) -> None:
        unknown = set(panels) - set(PANELS)
        if unknown or not panels:
            raise ValueError(f"panels must name some of {', '.join(PANELS)}, not {panels!r}")
        self.runs = runs
        self.form = form
        self.rows = [row for name in PANELS if name in panels for row in form.rows[name]]
        self.width_px = width_px = form.width_px
        scale = Scale.of(runs, jobs)
        self.scale = replace(scale, seconds=max(scale.seconds, span_s))
        self.title = wrapped(title, width_px - 30, TITLE_PX, bold=True) if title else []
        self.labels_px = form.labels_px
        self.column_px = (width_px - LEFT_PX) / len(runs) - self.labels_px
        self.headings = [] if len(runs) == 1 else [self._heading(run) for run in runs]
        self.marks = [self._marks(run) for run in runs]
        self.traces: list[dict[str, Any]] = []
        self.layout: dict[str, Any] = {"annotations": [], "shapes": []}

    def figure(self) -> Drawn:
        for column, run in enumerate(self.runs):
            self._column(column, run)
        self._title()
        self.layout |= plain_layout(self.width_px, self.height_px)
        self.layout |= {"margin": {"l": 0, "r": 0, "t": 0, "b": 0, "pad": 0}}
        self.layout |= {"hovermode": "x unified"}
        return {"data": self.traces, "layout": self.layout}

    # -- sizes, in pixels from the top ---------------------------------------------------

    @property
    def title_px(self) -> float:
        return (14 if self.title else 0) + 1.3 * TITLE_PX * len(self.title)

    @property
    def head_px(self) -> float:
        """Above the first panel: title, headings, text of the marks."""
        lines = max((len(heading) for heading in self.headings), default=0)
        used = max((level + 1 for marks in self.marks for *_, level in marks), default=0)
        if self.form.steady:
            used = self.form.mark_levels
        return self.title_px + 1.35 * TEXT_PX * lines + MARK_PX * used + 16 + self.form.above_px

    @property
    def height_px(self) -> float:
        return self.head_px + sum(h + gap for _, h, gap in self.rows) + BELOW_PX

    def _left_px(self, column: int) -> float:
        return LEFT_PX + column * (self.column_px + self.labels_px)

    # -- parts ---------------------------------------------------------------------------

    def _heading(self, run: Shown) -> list[str]:
        return [
            f"<b>{run.meta.name}</b>",
            *wrapped(warned(run.sentence, [run]), self.column_px + self.labels_px - 16, TEXT_PX),
        ]

    def _marks(self, run: Shown) -> list[tuple[float, str, int]]:
        """Marks of a run with the line their text stands on, -1 for no room."""
        per_s = self.column_px / self.scale.seconds
        spans = [(t * per_s, t * per_s + width_of(text, TEXT_PX) + 10) for t, text in run.marks]
        chosen = levels(spans, self.form.mark_levels)
        edge_px = self.column_px + self.labels_px
        return [
            (t, text, -1 if level is None or right_px > edge_px else level)
            for (t, text), (_, right_px), level in zip(run.marks, spans, chosen, strict=True)
        ]

    def _column(self, column: int, run: Shown) -> None:
        top_px = self.head_px
        for row, (paint, height_px, gap_px) in enumerate(self.rows):
            number = column * len(self.rows) + row + 1
            cell = Cell(
                *(run, self.scale, "" if number == 1 else str(number)),
                *(self.column_px, height_px, self.labels_px),
            )
            paint(cell)
            cell.place_labels()
            self._keep(cell, column, top_px, is_last=row == len(self.rows) - 1)
            top_px += height_px + gap_px
        self._draw_marks(column)
        if self.headings:
            self._draw_heading(column)
        if run.meta.virtual:
            self._say_simulated(column)

    def _keep(self, cell: Cell, column: int, top_px: float, is_last: bool) -> None:
        left_px = self._left_px(column)
        domain_x = [left_px / self.width_px, (left_px + self.column_px) / self.width_px]
        domain_y = [self._paper_y(top_px + cell.height_px), self._paper_y(top_px)]
        x_axis: dict[str, Any] = {"domain": domain_x, "anchor": f"y{cell.axis}"}
        x_axis["range"] = [0, self.scale.seconds]
        x_axis |= {"showticklabels": is_last, "ticks": "outside" if is_last else ""}
        if is_last:
            x_axis |= {
                "title": {
                    "text": "seconds since the start",
                    "standoff": 4,
                    "font": {"size": TEXT_PX},
                }
            }
        title = cell.y_axis.pop("title", "")
        y_axis = {"domain": domain_y, "anchor": f"x{cell.axis}"} | cell.y_axis
        y_axis |= {"showticklabels": column == 0}
        if column == 0:
            title = self.form.names.get(title, title)
            self._name_axis(title, sum(domain_y) / 2)
        self.layout[f"xaxis{cell.axis}"] = BASE_AXIS | x_axis | {"showgrid": False}
        self.layout[f"yaxis{cell.axis}"] = BASE_AXIS | y_axis
        self.traces += cell.traces
        self.layout["annotations"] += cell.annotations
        self.layout["shapes"] += cell.shapes

    def _name_axis(self, title: str, y: float) -> None:
        # An axis title of Plotly's own moves with the width of the tick labels.
        self.layout["annotations"].append(
            {"xref": "paper", "yref": "paper", "x": 18 / self.width_px, "y": y, "text": title}
            | {"xanchor": "center", "yanchor": "middle", "textangle": -90, "showarrow": False}
            | {"font": {"size": TEXT_PX, "color": INK}}
        )

    def _draw_marks(self, column: int) -> None:
        left_px = self._left_px(column)
        bottom_px = self.height_px - BELOW_PX - self.rows[-1][2]
        for t_s, text, level in self.marks[column]:
            x = (left_px + t_s / self.scale.seconds * self.column_px) / self.width_px
            rise_px = self.form.above_px + MARK_PX * (level + 1) if level >= 0 else 0
            self.layout["shapes"].append(
                {"type": "line", "xref": "paper", "yref": "paper", "x0": x, "x1": x}
                | {"y0": self._paper_y(bottom_px), "y1": self._paper_y(self.head_px - rise_px)}
                | {"line": {"color": GREY, "width": 2, "dash": "dot"}}
            )
            if level >= 0:
                self._write(x, self.head_px - rise_px - 5, text, TEXT_PX, xshift=4, bgcolor="white")

    def _say_simulated(self, column: int) -> None:
        """In the corner below the labels, where nothing else is ever written."""
        right_px = self._left_px(column) + self.column_px + self.labels_px - 8
        mark = {"xanchor": "right", "font": {"size": TEXT_PX, "color": GREY}}
        self._write(right_px / self.width_px, self.height_px - 28, SIMULATED, TEXT_PX, **mark)

    def _draw_heading(self, column: int) -> None:
        x = self._left_px(column) / self.width_px
        self._write(x, self.title_px, "<br>".join(self.headings[column]), TEXT_PX)

    def _title(self) -> None:
        if not self.title:
            return
        lines = "<br>".join(f"<b>{line}</b>" for line in self.title)
        self._write(12 / self.width_px, 10, lines, TITLE_PX)

    def _write(self, x: float, top_px: float, text: str, size: int, **more: Any) -> None:
        self.layout["annotations"].append(
            {"xref": "paper", "yref": "paper", "x": x, "xanchor": "left"}
            | {"y": self._paper_y(top_px), "yanchor": "top", "align": "left"}
            | {"text": text, "showarrow": False, "font": {"size": size, "color": INK}}
            | more
        )

    def _paper_y(self, from_top_px: float) -> float:
        return 1 - from_top_px / self.height_px
