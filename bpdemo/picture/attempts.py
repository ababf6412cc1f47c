"""`attempts_figure`: how many attempts arrive in the same moment, for one or several runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from bpdemo.picture.labels import wrapped
from bpdemo.picture.palette import BLUE, FONT, GRID, INK, PLAIN, TEXT_PX, TITLE_PX, VERMILLION
from bpdemo.results.records import Column

if TYPE_CHECKING:
    from bpdemo.results.run import Run

BIN_S: Final = 0.05
COLOURS: Final = (VERMILLION, BLUE)
WIDTH_PX: Final = 930
PANEL_PX: Final = 170
BELOW_PX: Final = 60
GAP_PX: Final = 44


def attempts_in_bins(run: Run, until_s: float, bin_s: float = BIN_S) -> Column:
    """First tries and retries in each `bin_s` from 0 to `until_s`, by intended send."""
    edges = np.arange(round(until_s / bin_s) + 1) * bin_s
    return np.histogram(run.records.attempt_t_s, bins=edges)[0]


def attempt_peak(run: Run, after_s: float = 0.0, bin_s: float = BIN_S) -> int:
    """The most attempts in one `bin_s` after `after_s`: what the door must take at once."""
    last_s = float(run.records.attempt_t_s.max()) + bin_s
    counts = attempts_in_bins(run, max(last_s, after_s + bin_s), bin_s)
    return int(counts[round(after_s / bin_s) :].max())


def attempts_figure(runs: Mapping[str, Run], *, title: str, until_s: float) -> go.Figure:
    """Attempts in bins of 50 ms, a panel for each of `runs`, all with the same axes."""
    counts = {name: attempts_in_bins(run, until_s) for name, run in runs.items()}
    lines = wrapped(title, WIDTH_PX - 40, TITLE_PX * 1.08)
    top_px = 56 + 1.3 * TITLE_PX * len(lines)
    rows, inner_px = len(counts), len(counts) * (PANEL_PX + GAP_PX) - GAP_PX
    figure = make_subplots(
        rows=rows, cols=1, shared_xaxes=True, vertical_spacing=GAP_PX / inner_px if rows > 1 else 0
    )
    for row, (name, count) in enumerate(counts.items(), start=1):
        _draw(figure, row, name, count)
    _title(figure, lines, top_px)
    highest = max(int(count.max()) for count in counts.values())
    figure.update_xaxes(range=[0, until_s], gridcolor=GRID)
    figure.update_xaxes(title="seconds since the doors opened", row=rows)
    figure.update_yaxes(range=[0, highest * 1.08], gridcolor=GRID, title="attempts<br>in 50 ms")
    return figure.update_layout(_layout(top_px, inner_px))


def _draw(figure: go.Figure, row: int, name: str, count: Column) -> None:
    colour = COLOURS[(row - 1) % len(COLOURS)]
    middles = (np.arange(len(count)) + 0.5) * BIN_S
    figure.add_bar(x=middles, y=count, width=BIN_S * 0.9, marker_color=colour, row=row, col=1)
    figure.add_annotation(
        xref="x domain", yref="y domain", x=1, y=1, xanchor="right", yanchor="bottom", yshift=2,
        text=f"<b>{name}</b>", showarrow=False, font={"color": colour, "size": TEXT_PX},
        row=row, col=1,
    )  # fmt: skip


def _title(figure: go.Figure, lines: list[str], top_px: float) -> None:
    figure.add_annotation(
        xref="paper", x=0, xanchor="left", xshift=-70, yref="paper", y=1, yanchor="top",
        yshift=top_px - 8, text="<br>".join(f"<b>{line}</b>" for line in lines), align="left",
        showarrow=False, font={"size": TITLE_PX},
    )  # fmt: skip


def _layout(top_px: float, inner_px: float) -> dict[str, Any]:
    return {
        "font": {"family": FONT, "size": TEXT_PX, "color": INK}, "template": "none",
        **PLAIN, "showlegend": False, "width": WIDTH_PX,
        "height": top_px + inner_px + BELOW_PX,
        "margin": {"l": 86, "r": 24, "t": top_px, "b": BELOW_PX},
    }  # fmt: skip
