"""One panel of one run: traces, text, lines and one y axis, collected before they are drawn.

A cell always has the same traces in the same order, empty ones too: a live picture
replaces their data and adds none, since a front end that joins late misses added traces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from bpdemo.picture.labels import spread, width_of, wrapped
from bpdemo.picture.palette import FATE_COLOURS, FATE_PATTERNS, GRID, INK, LINES, TEXT_PX
from bpdemo.picture.scale import Scale
from bpdemo.picture.shown import Heights, Shown
from bpdemo.plan.fates import WORDS

LINE_PX: Final = 20
"""Height of a line of text with the space around it."""

LABEL_GAP_PX: Final = 6
"""Between the end of a line and its name."""

BASE_AXIS: Final = {"gridcolor": GRID, "zeroline": False, "linecolor": INK, "showline": True}


@dataclass
class Cell:
    """One panel of one run: where it is, and what has been put into it."""

    run: Shown
    scale: Scale
    axis: str
    width_px: float
    height_px: float
    labels_px: float
    traces: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[dict[str, Any]] = field(default_factory=list)
    y_axis: dict[str, Any] = field(default_factory=dict)
    margin: list[tuple[str, float, str]] = field(default_factory=list)

    @property
    def edge_t_s(self) -> Heights:
        """Middles of the bins, with the two ends of the run."""
        edges = [*self.run.columns["t_s"], self.run.meta.seconds]
        middles = [(start_s + end_s) / 2 for start_s, end_s in pairwise(edges)]
        return [0.0, *middles, self.run.meta.seconds]

    def column(self, name: str) -> Heights:
        """A column of the frame, drawn out to both ends of the run."""
        values = self.run.columns[name]
        return [*values[:1], *values, *values[-1:]]

    def line(self, name: str, y: Heights, cue: str, **more: Any) -> None:
        colour, dash = LINES[cue]
        self._trace(name, y, line={"color": colour, "dash": dash, "width": 3}, **more)

    def area(self, fate: str, y: Heights, group: str) -> None:
        colour, pattern = FATE_COLOURS[fate], FATE_PATTERNS[fate]
        self._trace(
            WORDS[fate],
            y,
            stackgroup=group,
            line={"width": 0.5, "color": colour},
            fillcolor=colour,
            fillpattern={"shape": pattern, "fgcolor": "rgba(0,0,0,0.35)", "size": 7}
            | {"bgcolor": colour, "fillmode": "replace"},
        )

    def _trace(self, name: str, y: Heights, **more: Any) -> None:
        self.traces.append(
            {"type": "scatter", "x": self.edge_t_s, "y": y, "name": name, "mode": "lines"}
            | {"xaxis": f"x{self.axis}", "yaxis": f"y{self.axis}", "showlegend": False}
            | more
        )

    def level(self, y: float, cue: str) -> None:
        """A horizontal line over the whole panel."""
        self._stroke(cue, f"x{self.axis} domain", (0, 1), (y, y))

    def steps(self, levels: Sequence[tuple[float, float]], cue: str) -> None:
        """A line that jumps: (from t_s, y), in the order of time, to the end of the panel."""
        ends = [*(t_s for t_s, _ in levels[1:]), self.scale.seconds]
        before = None
        for (t_s, y), end_s in zip(levels, ends, strict=True):
            if before is not None and before != y:
                self._stroke(cue, f"x{self.axis}", (t_s, t_s), (before, y))
            self._stroke(cue, f"x{self.axis}", (t_s, end_s), (y, y))
            before = y

    def _stroke(self, cue: str, x_ref: str, x: tuple[float, float], y: tuple[float, float]) -> None:
        colour, dash = LINES[cue]
        self.shapes.append(
            {"type": "line", "xref": x_ref, "yref": f"y{self.axis}"}
            | {"x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1]}
            | {"line": {"color": colour, "dash": dash, "width": 2.5}}
        )

    def text(self, x: float, y: float, text: str, **more: Any) -> None:
        self.annotations.append(
            {"xref": f"x{self.axis}", "yref": f"y{self.axis}", "x": x, "y": y, "text": text}
            | {"showarrow": False, "font": {"size": TEXT_PX, "color": INK}}
            | more
        )

    def label(self, name: str, share: float, colour: str, value: str = "") -> None:
        """Name a line at its right end; `share` is that end's height in the panel, 0 to 1.

        Where name and `value` are too wide for the margin, the name is broken into lines, and the
        value stands behind the last of them or below it.
        """
        room_px = self.labels_px - LABEL_GAP_PX
        text = f"{name} {value}".rstrip()
        if width_of(text, TEXT_PX) > room_px:
            *lines, last = wrapped(name, room_px, TEXT_PX)
            whole = f"{last} {value}".rstrip()
            fits = lines and width_of(whole, TEXT_PX) <= room_px
            text = "<br>".join([*lines, *([whole] if fits or not value else [last, value])])
        self.margin.append((text, min(1.0, max(0.0, share)) * self.height_px, colour))

    @property
    def right_px(self) -> float:
        """How far a text above the panel may reach to the right of it."""
        is_taken = any(y_px > self.height_px - LINE_PX for _, y_px, _ in self.margin)
        return 0.0 if is_taken else self.labels_px

    def place_labels(self) -> None:
        """Put the labels of the right margin, pushed apart where they would overlap."""
        # Rounded, so that lines which meet keep their order whatever the last digit.
        wanted = [float(round(y_px / 3) * 3) for _, y_px, _ in self.margin]
        heights = [LINE_PX * (1 + text.count("<br>")) for text, *_ in self.margin]
        # Whole within the panel, where they fit into it: above it stands another.
        half_px = LINE_PX / 2 if sum(heights) <= self.height_px else 0.0
        placed = spread(wanted, heights, 4.0, self.height_px - half_px)
        for (text, _, colour), y_px in zip(self.margin, placed, strict=True):
            self.annotations.append(
                {"xref": f"x{self.axis} domain", "yref": f"y{self.axis} domain"}
                | {"x": 1.0, "xanchor": "left", "xshift": LABEL_GAP_PX}
                | {"y": y_px / self.height_px, "yanchor": "middle", "align": "left"}
                | {"text": text, "showarrow": False}
                | {"font": {"size": TEXT_PX, "color": colour}}
            )
