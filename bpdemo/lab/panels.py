"""The panels of the picture, each as traces, text, lines and one y axis in a cell.

A cell always has the same traces in the same order, empty ones too: a live picture
replaces their data and adds none, since a front end that joins late misses added traces.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go

from bpdemo.lab.fates import WORDS
from bpdemo.lab.labels import spread, width_of
from bpdemo.lab.palette import (
    FATE_COLOURS,
    FATE_PATTERNS,
    GREY,
    GRID,
    INK,
    INK_ON,
    LINES,
    TEXT_PX,
)
from bpdemo.lab.records import Column
from bpdemo.lab.scale import Scale
from bpdemo.lab.summary import times

if TYPE_CHECKING:
    from bpdemo.lab.run import LoadRun

STACK: Final = ("ok", "late", "failed", "shed")
"""From the bottom up: what was sold, what cost work in vain, what cost next to nothing."""

LINE_PX: Final = 20
ARROW_PX: Final = 38


@dataclass
class Cell:
    """One panel of one run: where it is, and what has been put into it."""

    run: LoadRun
    scale: Scale
    axis: str
    width_px: float
    height_px: float
    traces: list[go.Scatter] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[dict[str, Any]] = field(default_factory=list)
    y_axis: dict[str, Any] = field(default_factory=dict)
    margin: list[tuple[str, float, str]] = field(default_factory=list)

    @property
    def edge_t_s(self) -> Column:
        """Middles of the bins, with the two ends of the run."""
        t_s = self.run.frame["t_s"].to_numpy()
        ends = np.append(t_s[1:], self.run.meta.seconds)
        return np.concatenate(([0.0], (t_s + ends) / 2, [self.run.meta.seconds]))

    def column(self, name: str) -> Column:
        """A column of the frame, drawn out to both ends of the run."""
        values = self.run.frame[name].to_numpy(dtype=float)
        return np.concatenate((values[:1], values, values[-1:]))

    def line(self, name: str, y: Column, cue: str, **more: Any) -> None:
        colour, dash = LINES[cue]
        self.traces.append(
            go.Scatter(
                x=self.edge_t_s,
                y=y,
                name=name,
                mode="lines",
                xaxis=f"x{self.axis}",
                yaxis=f"y{self.axis}",
                showlegend=False,
                line={"color": colour, "dash": dash, "width": 3},
                **more,
            )
        )

    def area(self, fate: str, y: Column, group: str) -> None:
        colour, pattern = FATE_COLOURS[fate], FATE_PATTERNS[fate]
        self.traces.append(
            go.Scatter(
                x=self.edge_t_s,
                y=y,
                name=WORDS[fate],
                mode="lines",
                xaxis=f"x{self.axis}",
                yaxis=f"y{self.axis}",
                showlegend=False,
                stackgroup=group,
                line={"width": 0.5, "color": colour},
                fillcolor=colour,
                fillpattern={"shape": pattern, "fgcolor": "rgba(0,0,0,0.35)", "size": 7}
                | {"bgcolor": colour, "fillmode": "replace"},
            )
        )

    def level(self, y: float, cue: str) -> None:
        """A horizontal line over the whole panel."""
        colour, dash = LINES[cue]
        self.shapes.append(
            {"type": "line", "xref": f"x{self.axis} domain", "yref": f"y{self.axis}"}
            | {"x0": 0, "x1": 1, "y0": y, "y1": y}
            | {"line": {"color": colour, "dash": dash, "width": 2.5}}
        )

    def text(self, x: float, y: float, text: str, **more: Any) -> None:
        self.annotations.append(
            {"xref": f"x{self.axis}", "yref": f"y{self.axis}", "x": x, "y": y, "text": text}
            | {"showarrow": False, "font": {"size": TEXT_PX, "color": INK}}
            | more
        )

    def label(self, text: str, share: float, colour: str) -> None:
        """Name a line at its right end; `share` is that end's height in the panel, 0 to 1."""
        self.margin.append((text, min(1.0, max(0.0, share)) * self.height_px, colour))

    def place_labels(self) -> None:
        """Put the labels of the right margin, pushed apart where they would overlap."""
        # Rounded, so that lines which meet keep their order whatever the last digit.
        wanted = [float(round(y_px / 3) * 3) for _, y_px, _ in self.margin]
        placed = spread(wanted, LINE_PX, 4.0, self.height_px)
        for (text, _, colour), y_px in zip(self.margin, placed, strict=True):
            self.annotations.append(
                {"xref": f"x{self.axis} domain", "yref": f"y{self.axis} domain"}
                | {"x": 1.0, "xanchor": "left", "xshift": 6, "y": y_px / self.height_px}
                | {"yanchor": "middle", "text": text, "showarrow": False, "align": "left"}
                | {"font": {"size": TEXT_PX, "color": colour}}
            )


def ribbon(cell: Cell) -> None:
    """Shares of the fates, 0 to 100 %, however large the offer."""
    offered = np.maximum(cell.column("offered_per_s"), 1e-9)
    for fate in STACK:
        cell.area(fate, 100 * cell.column(f"{fate}_per_s") / offered, f"share{cell.axis}")
    cell.label("share of orders", 0.5, GREY)
    cell.y_axis = {"range": [0, 100], "tickvals": [0, 100], "ticktext": ["0%", "100%"]}


def fates(cell: Cell) -> None:
    """What became of the orders, stacked, against capacity."""
    top, capacity = cell.scale.orders_per_s, cell.run.meta.capacity_per_s
    for fate in STACK:
        cell.area(fate, cell.column(f"{fate}_per_s"), f"fates{cell.axis}")
    attempts, offered = cell.column("attempts_per_s"), cell.column("offered_per_s")
    retried = np.nansum(attempts) > 1.05 * np.nansum(offered)
    cell.line("tries", attempts if retried else np.full_like(attempts, np.nan), "offered")
    if capacity:
        cell.level(capacity, "capacity")
        cell.label(f"<b>capacity</b> {capacity:,.0f}/s", capacity / top, INK)
    peak = int(np.argmax(np.fmax(offered, attempts) if retried else offered))
    above = offered > top
    if retried and attempts.max() > top and not above.any():
        above = attempts > top
    if above.any():
        _arrow(cell, above, offered, attempts if retried else None)
    elif retried:
        cell.label("with retries", float(attempts[peak]) / top, INK)
    _name_areas(cell)
    cell.y_axis = {"range": [0, top], "title": "orders per second", "nticks": 5}


def _arrow(cell: Cell, above: Column, offered: Column, attempts: Column | None) -> None:
    """An offer that leaves the panel: an arrow through its top edge, with the number."""
    at = _longest(above)
    most = float(np.median(offered[above]))
    text = f"<b>offered {most:,.0f}/s</b>"
    if cell.run.meta.capacity_per_s:
        text += f" = {times(most / cell.run.meta.capacity_per_s)} capacity"
    if attempts is not None:
        text += f", with retries {float(np.median(attempts[above])):,.0f}/s"
    x = float(cell.edge_t_s[at])
    cell.text(
        x,
        cell.scale.orders_per_s,
        "",
        showarrow=True,
        ax=0,
        ay=ARROW_PX,
        yshift=ARROW_PX - 12,
        arrowhead=2,
        arrowsize=1.2,
        arrowwidth=4,
        arrowcolor=INK,
    )
    left = x < cell.scale.seconds / 2
    beside = {"xanchor": "left" if left else "right", "xshift": 14 if left else -14}
    cell.text(x, cell.scale.orders_per_s, text, yanchor="bottom", yshift=3, **beside)


def _longest(flags: Column) -> int:
    """The middle of the longest stretch of true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(int), [0]))))
    starts, ends = edges[::2], edges[1::2]
    widest = int(np.argmax(ends - starts))
    return int((starts[widest] + ends[widest] - 1) // 2)


def _name_areas(cell: Cell) -> None:
    """Write each fate's word into its area where that is thickest, or beside it."""
    px_per = cell.height_px / cell.scale.orders_per_s
    total = float(cell.column("offered_per_s").sum())
    bottom = np.zeros(len(cell.edge_t_s))
    for fate in STACK:
        values = cell.column(f"{fate}_per_s")
        top = bottom + values
        room = width_of(WORDS[fate], TEXT_PX) * 1.15 / cell.width_px * cell.scale.seconds
        seen = np.minimum(top, cell.scale.orders_per_s)
        x, low, high = _thickest(cell.edge_t_s, bottom, seen, room)
        if (high - low) * px_per >= LINE_PX:
            ink = {"size": TEXT_PX + 1, "color": INK_ON[fate]}
            back = {"bgcolor": FATE_COLOURS[fate], "borderpad": 1}
            cell.text(x, (low + high) / 2, f"<b>{WORDS[fate]}</b>", font=ink, **back)
        elif total and values.sum() / total >= 0.01:
            middle = float(bottom[-1] + top[-1]) / 2
            cell.label(WORDS[fate], middle * px_per / cell.height_px, INK)
        bottom = top


def _thickest(x: Column, bottom: Column, top: Column, room: float) -> tuple[float, float, float]:
    """Where a text of width `room` finds most height: its middle, lower and upper bound."""
    best = (float(x[0]), 0.0, 0.0)
    for middle in x[(x >= x[0] + room / 2) & (x <= x[-1] - room / 2)]:
        near = np.abs(x - middle) <= room / 2
        low, high = float(bottom[near].max()), float(top[near].min())
        if high - low > best[2] - best[1]:
            best = (float(middle), low, high)
    return best


def latency(cell: Cell) -> None:
    """p50 and p99 of the customers let in, on a log scale, against their patience."""
    low, high = (float(np.log10(end)) for end in cell.scale.latency_ms)
    ends = {}
    for name in ("p99", "p50"):
        values = cell.column(f"{name}_ms")
        cell.line(name, values, name)
        known = values[np.isfinite(values) & (values > 0)]
        if len(known):
            ends[name] = (np.log10(known[-1]) - low) / (high - low)
    patience_ms = cell.run.meta.patience_s * 1000
    cell.level(patience_ms, "patience")
    # Where all three meet, the order here is the order from the bottom up.
    for name in ("p50", "p99"):
        if name in ends:
            cell.label(f"<b>{name}</b>", float(ends[name]), LINES[name][0])
    patience = (np.log10(patience_ms) - low) / (high - low)
    cell.label(f"patience {_told_ms(patience_ms)}", float(patience), INK)
    decades = 10.0 ** np.arange(np.floor(low), np.ceil(high) + 1)
    cell.y_axis = {"type": "log", "range": [low, high], "title": "time to answer"}
    cell.y_axis |= {"tickvals": decades, "ticktext": [_told_ms(ms) for ms in decades]}


def _told_ms(ms: float) -> str:
    return f"{ms:g} ms" if ms < 1000 else f"{ms / 1000:g} s"


def queue(cell: Cell) -> None:
    """Jobs waiting against the room there is, and busy workers."""
    most, depth = cell.scale.jobs, cell.column("queue_depth")
    busy, capacity = cell.column("workers_busy"), cell.column("queue_capacity")
    cell.line("in queue", depth, "queue", fill="tozeroy", fillcolor="rgba(0,0,0,0.12)")
    cell.line("room", np.where(capacity < 0, np.nan, capacity), "queue capacity")
    cell.line("busy workers", busy, "busy workers")
    for name, values, cue in (("busy workers", busy, "busy workers"), ("in queue", depth, "queue")):
        end = _last(values)
        if end is not None:
            cell.label(f"<b>{name}</b> {end:,.0f}", end / most, LINES[cue][0])
    room = _last(capacity)
    if room is not None:
        told = "no limit" if room < 0 else f"room for {room:,.0f}"
        cell.label(told, 1.0 if room < 0 else room / most, GREY)
    cell.y_axis = {"range": [0, most], "title": "jobs", "nticks": 5}


def _last(values: Column) -> float | None:
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else None


BASE_AXIS: Final = {"gridcolor": GRID, "zeroline": False, "linecolor": INK, "showline": True}
