"""A figure's title: the result in a sentence, in as many lines as it needs."""

from __future__ import annotations

from typing import Final

import plotly.graph_objects as go

from bpdemo.picture.labels import wrapped
from bpdemo.picture.palette import TITLE_PX

EDGE_PX: Final = 12
ABOVE_PX: Final = 10


def heading_lines(text: str, width_px: float) -> list[str]:
    return wrapped(text, width_px - 40, TITLE_PX * 1.08)


def heading_px(lines: list[str]) -> float:
    """The room that it needs above the panels."""
    return 28 + 1.3 * TITLE_PX * len(lines)


def write_heading(figure: go.Figure, lines: list[str]) -> None:
    """Write it at the top left of a figure whose margins are set."""
    # Plotly's own title is cut off at the top when it has two lines.
    margin = figure.layout.margin
    figure.add_annotation(
        xref="paper", x=0, xanchor="left", xshift=EDGE_PX - margin.l, yref="paper", y=1,
        yanchor="top", yshift=margin.t - ABOVE_PX, align="left", showarrow=False,
        text="<br>".join(f"<b>{line}</b>" for line in lines), font={"size": TITLE_PX},
    )  # fmt: skip
