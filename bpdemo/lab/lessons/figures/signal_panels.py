"""`signal_figure`: CPU above, queue wait below, each with its alert: which one speaks up?"""

from __future__ import annotations

from typing import Any, Final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from bpdemo.core.slips import forgiving
from bpdemo.lab.lessons.signals import CPU_ALERT, WAIT_ALERT_MS, Signals
from bpdemo.picture.frame import AXIS, Frame
from bpdemo.picture.labels import spread
from bpdemo.picture.palette import BLUE, INK, TEXT_PX, VERMILLION
from bpdemo.picture.void import warned

PANEL_PX: Final = 210
LABEL_PX: Final = 22
RIGHT_PX: Final = 150
#: An axis ends at least so far above the alert, so that one sees what was not reached.
HEADROOM: Final = 1.3


@forgiving
def signal_figure(seen: Signals) -> go.Figure:
    """Both signals over time, with their alerts, and the moment each was first above its own."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.1)
    inner_px = 2 * PANEL_PX + 10
    title = warned(seen.sentence, [seen.run])
    frame = Frame(title, inner_px, left_px=96, right_px=RIGHT_PX, above_px=26)
    figure.update_layout(frame.layout())
    _panel(figure, seen, 1, "cpu_share", CPU_ALERT, f"alert: {CPU_ALERT:.0%}", "CPU", BLUE)
    _panel(
        figure, seen, 2, "wait_ms", WAIT_ALERT_MS, f"alert: {WAIT_ALERT_MS:.0f} ms",
        "queue wait", INK,
    )  # fmt: skip
    figure.update_xaxes(AXIS | {"range": [0, seen.run.meta.seconds]})
    figure.update_xaxes(title="seconds", row=2, col=1)
    figure.update_yaxes(AXIS | {"tickformat": ".0%"}, title="CPU (of one core)", row=1, col=1)
    figure.update_yaxes(AXIS, title="queue wait (ms)", row=2, col=1)
    _mark_capacity(figure, seen)
    return figure


def _panel(
    figure: go.Figure, seen: Signals, row: int, column: str, alert: float, alert_text: str,
    name: str, colour: str,
) -> None:  # fmt: skip
    t_s, values = seen.frame["t_s"], seen.frame[column]
    place: dict[str, Any] = {"row": row, "col": 1}
    figure.add_scatter(
        x=t_s, y=values, mode="lines", line={"color": colour, "width": 4}, **place
    )  # fmt: skip
    top = max(values.max(), alert) * HEADROOM
    figure.update_yaxes(range=[-0.015 * top, top], **place)
    figure.add_hline(y=alert, line={"color": VERMILLION, "dash": "dash", "width": 3}, **place)
    ends = (alert, float(values.dropna().iloc[-1]))
    wanted = [y / top * PANEL_PX for y in ends]
    placed = spread(wanted, LABEL_PX, 0.0, PANEL_PX)
    for y, at_px, px, text, ink in zip(
        ends, wanted, placed, (alert_text, name), (VERMILLION, colour), strict=True
    ):
        _label(figure, row, y, px - at_px, text, ink)
    at_s = seen.first_over(column, alert)
    if at_s is not None:
        figure.add_scatter(
            x=[at_s], y=[values[t_s == at_s].iloc[0]], mode="markers", cliponaxis=False,
            marker={"size": 18, "symbol": "circle-open", "color": VERMILLION, "line": {"width": 4}},
            **place,
        )  # fmt: skip


def _label(figure: go.Figure, row: int, y: float, up_px: float, text: str, colour: str) -> None:
    figure.add_annotation(
        xref="paper", x=1, xanchor="left", xshift=10, y=y, yref=f"y{row}", yanchor="middle",
        yshift=up_px,
        text=f"<b>{text}</b>", showarrow=False, font={"color": colour, "size": TEXT_PX},
    )  # fmt: skip


def _mark_capacity(figure: go.Figure, seen: Signals) -> None:
    """On a ramp: when as many came as can be served."""
    meta = seen.run.meta
    if meta.scenario != "ramp" or not meta.capacity_per_s or meta.rate_per_s <= meta.capacity_per_s:
        return
    at_s = meta.seconds * meta.capacity_per_s / meta.rate_per_s
    figure.add_vline(x=at_s, line={"color": INK, "dash": "dot", "width": 2})
    figure.add_annotation(
        x=at_s, yref="paper", y=1, yanchor="bottom", text="<b>capacity is reached</b>",
        showarrow=False, font={"color": INK, "size": TEXT_PX},
    )  # fmt: skip
