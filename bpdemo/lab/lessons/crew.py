"""`crew_figure`: how many promises wait, and below it who kept which; with the death of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from bpdemo.core.slips import forgiving
from bpdemo.downstream.consumer import HEARTBEAT_S
from bpdemo.picture.frame import AXIS, Frame
from bpdemo.picture.labels import width_of
from bpdemo.picture.palette import BLUE, GREEN, INK, PURPLE, TEXT_PX, VERMILLION

if TYPE_CHECKING:
    import pandas as pd

    from bpdemo.lab.lessons.backlog_watch import BacklogWatch

DEPTH_PX: Final = 250
LANE_PX: Final = 62
LANES: Final = (GREEN, BLUE, PURPLE)
"""Colour of the first worker's orders, of the second's, and so on in turn."""


@forgiving
def crew_figure(
    watch: BacklogWatch, kept: Mapping[str, pd.DataFrame], *, killed_at_s: float | None, title: str
) -> go.Figure:
    """`kept` is what each worker brought to an end; `killed_at_s`, when one died, by the clock."""
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08,
        row_heights=[DEPTH_PX, LANE_PX * len(kept)],
    )  # fmt: skip
    inner_px = DEPTH_PX + LANE_PX * len(kept)
    right_px = 20 + max(width_of(_told(*lane), TEXT_PX, bold=True) for lane in kept.items())
    frame = Frame(title, inner_px, left_px=96, right_px=right_px, above_px=30)
    figure.update_layout(frame.layout())
    _draw_depth(figure, watch)
    for lane, (name, orders) in enumerate(kept.items()):
        _draw_lane(figure, lane, _told(name, orders), orders["at_s"] - watch.began_s, len(kept))
    if killed_at_s is not None:
        _mark_death(figure, killed_at_s - watch.began_s)
    end_s = max(watch.depths)
    figure.update_xaxes(AXIS | {"range": [0, end_s]})
    figure.update_xaxes(title="seconds", row=2, col=1)
    return figure


def _draw_depth(figure: go.Figure, watch: BacklogWatch) -> None:
    figure.add_scatter(
        x=list(watch.depths), y=list(watch.depths.values()), mode="lines", fill="tozeroy",
        line={"color": INK, "width": 4, "shape": "hv"}, fillcolor="rgba(0,0,0,0.10)",
        row=1, col=1,
    )  # fmt: skip
    top = max(1, watch.deepest) * 1.1
    figure.update_yaxes(
        AXIS | {"range": [-0.015 * top, top]}, title="orders not yet processed", row=1, col=1
    )


def _told(name: str, orders: pd.DataFrame) -> str:
    return f"{name}: {len(orders)} orders"


def _draw_lane(figure: go.Figure, lane: int, told: str, t_s: pd.Series[float], lanes: int) -> None:
    colour = LANES[lane % len(LANES)]
    figure.add_scatter(
        x=t_s, y=[lane] * len(t_s), mode="markers", row=2, col=1,
        marker={"symbol": "line-ns-open", "size": 26, "color": colour, "line": {"width": 2}},
    )  # fmt: skip
    figure.add_annotation(
        xref="paper", x=1, xanchor="left", xshift=12, y=lane, yref="y2", showarrow=False,
        text=f"<b>{told}</b>", font={"color": colour, "size": TEXT_PX},
    )  # fmt: skip
    figure.update_yaxes(
        range=[lanes - 0.4, -0.6], showticklabels=False, showgrid=False, zeroline=False,
        title="done by", row=2, col=1,
    )  # fmt: skip


def _mark_death(figure: go.Figure, x: float) -> None:
    figure.add_vrect(
        x0=x, x1=x + HEARTBEAT_S, fillcolor=VERMILLION, opacity=0.10, line_width=0, layer="below"
    )
    figure.add_vline(x=x, line={"color": VERMILLION, "width": 4})
    figure.add_annotation(
        x=x, xanchor="left", xshift=-2, yref="paper", y=1, yanchor="bottom", showarrow=False,
        text=f"<b>killed; its heartbeat is believed for {HEARTBEAT_S:.0f} s</b>",
        font={"color": VERMILLION, "size": TEXT_PX},
    )  # fmt: skip
