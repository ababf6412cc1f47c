"""Where the text of a figure stands, in pixels from its lower left corner, by its layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from bpdemo.picture.labels import width_of

LINE_SHARE = 1.15
"""Height of a line of text as a share of its font size."""


@dataclass(frozen=True)
class Box:
    """One text: its edges, and what it says."""

    left: float
    right: float
    bottom: float
    top: float
    text: str

    def meets(self, other: Box) -> bool:
        """Whether the two overlap by more than a pixel."""
        across = min(self.right, other.right) - max(self.left, other.left)
        along = min(self.top, other.top) - max(self.bottom, other.bottom)
        return across > 1 and along > 1


def boxes(figure: go.Figure) -> list[Box]:
    """A box for every text that lies (a turned one is an axis name, and stands apart)."""
    notes = [note for note in figure.layout.annotations if note.text and not note.textangle]
    return [_box(figure, note) for note in notes]


def _box(figure: go.Figure, note: Any) -> Box:
    lines, size = note.text.count("<br>") + 1, note.font.size
    width, height = width_of(note.text, size), lines * size * LINE_SHARE
    x = _px(figure, note.xref, note.x, "x") + (note.xshift or 0)
    y = _px(figure, note.yref, note.y, "y") + (note.yshift or 0)
    left = x - width * {"left": 0.0, "right": 1.0}.get(note.xanchor or "center", 0.5)
    bottom = y - height * {"bottom": 0.0, "top": 1.0}.get(note.yanchor or "middle", 0.5)
    return Box(left, left + width, bottom, bottom + height, note.text)


def _px(figure: go.Figure, ref: str | None, value: float, letter: str) -> float:
    layout = figure.layout
    margin = layout.margin
    whole = layout.width if letter == "x" else layout.height
    before = (margin.l if letter == "x" else margin.b) or 0
    after = (margin.r if letter == "x" else margin.t) or 0
    inner = whole - before - after
    if ref == "paper":
        return float(before + value * inner)
    ref = ref or letter
    axis = layout[ref.split(maxsplit=1)[0].replace(letter, f"{letter}axis")]
    if not ref.endswith("domain"):
        low, high = axis.range
        value = (value - low) / (high - low)
    start, end = axis.domain or (0, 1)
    return float(before + (start + value * (end - start)) * inner)
