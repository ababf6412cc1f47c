"""`attempts_figure`: how many attempts arrive in the same moment, for one or several runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from bpdemo.core.slips import forgiving
from bpdemo.picture.frame import AXIS, Frame, say_simulated
from bpdemo.picture.palette import BLUE, TEXT_PX, VERMILLION
from bpdemo.picture.void import warned
from bpdemo.results.records import Column

if TYPE_CHECKING:
    from bpdemo.results.run import Run

BIN_S: Final = 0.05
COLOURS: Final = (VERMILLION, BLUE)
PANEL_PX: Final = 170
GAP_PX: Final = 44


def attempts_in_bins(run: Run, until_s: float, bin_s: float = BIN_S) -> Column:
    """First tries and retries in each `bin_s` from 0 to `until_s`, by intended send."""
    edges = np.arange(round(until_s / bin_s) + 1) * bin_s
    return np.histogram(run.records.attempt_t_s, bins=edges)[0]


@forgiving
def attempt_peak(run: Run, after_s: float = 0.0, bin_s: float = BIN_S) -> int:
    """The most attempts in one `bin_s` after `after_s`: what arrives at the service at once."""
    last_s = float(run.records.attempt_t_s.max()) + bin_s
    counts = attempts_in_bins(run, max(last_s, after_s + bin_s), bin_s)
    return int(counts[round(after_s / bin_s) :].max())


@forgiving
def attempts_figure(runs: Mapping[str, Run], *, title: str, until_s: float) -> go.Figure:
    """Attempts in bins of 50 ms, a panel for each of `runs`, all with the same axes."""
    counts = {name: attempts_in_bins(run, until_s) for name, run in runs.items()}
    rows, inner_px = len(counts), len(counts) * (PANEL_PX + GAP_PX) - GAP_PX
    figure = make_subplots(
        rows=rows, cols=1, shared_xaxes=True, vertical_spacing=GAP_PX / inner_px if rows > 1 else 0
    )
    title = warned(title, runs.values())
    figure.update_layout(Frame(title, inner_px, left_px=98, above_px=28).layout())
    for row, (name, count) in enumerate(counts.items(), start=1):
        _draw(figure, row, name, count)
    highest = max(int(count.max()) for count in counts.values())
    figure.update_xaxes(range=[0, until_s], **AXIS)
    figure.update_xaxes(title="seconds since the sale opened", row=rows)
    figure.update_yaxes(range=[0, highest * 1.08], title="attempts<br>in 50 ms", **AXIS)
    if all(run.meta.virtual for run in runs.values()):
        say_simulated(figure)
    return figure


def _draw(figure: go.Figure, row: int, name: str, count: Column) -> None:
    colour = COLOURS[(row - 1) % len(COLOURS)]
    middles = (np.arange(len(count)) + 0.5) * BIN_S
    figure.add_bar(x=middles, y=count, width=BIN_S * 0.9, marker_color=colour, row=row, col=1)
    figure.add_annotation(
        xref="x domain", yref="y domain", x=1, y=1, xanchor="right", yanchor="bottom", yshift=2,
        text=f"<b>{name}</b>", showarrow=False, font={"color": colour, "size": TEXT_PX},
        row=row, col=1,
    )  # fmt: skip
