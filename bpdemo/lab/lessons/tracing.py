"""Follow one order: send it with a trace of one's own, and draw the spans it left."""

from __future__ import annotations

import secrets
from time import perf_counter
from typing import TYPE_CHECKING, Final, NamedTuple

import httpx
import plotly.graph_objects as go

from bpdemo.core.slips import forgiving
from bpdemo.lab.lessons.signals import pause
from bpdemo.lab.services.service import Service
from bpdemo.load.loads import RunningLoad
from bpdemo.picture.frame import NO_TICKS, Frame
from bpdemo.picture.labels import width_of
from bpdemo.picture.palette import BLUE, GREEN, GRID, INK, ORANGE, SKY_BLUE, TEXT_PX

if TYPE_CHECKING:
    import pandas as pd

TIMEOUT_S: Final = 30.0
ROW_PX: Final = 56
#: A bar's colour and pattern by the first word of its span; the rest is the caller's request.
STYLES: Final = {
    "queue": (ORANGE, "/"), "work": (GREEN, ""), "payment": (BLUE, ""), "store": (SKY_BLUE, "."),
}  # fmt: skip
OTHERS: Final = ("#DDDDDD", "")
#: What the title tells, in that order.
TOLD: Final = (
    ("queue", "in the queue"), ("payment attempt", "for the payment"),
    ("store attempt", "for the store"),
)  # fmt: skip


class Receipt(NamedTuple):
    """What the caller of one order knows: the answer, their own stop-watch, and the ids."""

    status: int
    latency_ms: float
    trace_id: str
    request_id: str


@forgiving
def send_traced(service: Service, amid: RunningLoad | None = None, at_s: float = 0.0) -> Receipt:
    """Send one order that carries a trace id of ours; `amid` a load, `at_s` seconds after its
    first order."""
    trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
    with httpx.Client(base_url=service.url, trust_env=False, timeout=TIMEOUT_S) as http:
        http.get("/healthz")  # the stop-watch is for the order, not for the connection
        while amid is not None and not amid.done and (rest_s := at_s - amid.now_s) > 0:
            pause(amid, rest_s)
        start_s = perf_counter()
        answer = http.post(
            "/orders", json={"item_id": 1, "quantity": 1},
            headers={"traceparent": f"00-{trace_id}-{span_id}-01"},
        )  # fmt: skip
        latency_ms = 1000 * (perf_counter() - start_s)
    return Receipt(answer.status_code, latency_ms, trace_id, answer.headers["X-Request-Id"])


@forgiving
def waterfall(spans: pd.DataFrame, *, seen_ms: float | None = None) -> go.Figure:
    """The spans of one trace, a bar each, from the first to begin to the last; `seen_ms` is what
    the caller measured."""
    rows = spans.sort_values(["start_s", "duration_ms"], ascending=[True, False])
    from_ms = 1000 * (rows["start_s"] - rows["start_s"].min())
    names_px = 24 + max(width_of(name, TEXT_PX, bold=True) for name in rows["name"])
    frame = Frame(_sentence(rows, seen_ms), ROW_PX * len(rows), left_px=names_px, right_px=110)
    x_axis = {"title": "ms since the request came", "gridcolor": GRID, "rangemode": "tozero"}
    y_axis = {"autorange": "reversed"} | NO_TICKS
    figure = go.Figure(layout=frame.layout(xaxis=x_axis, yaxis=y_axis, bargap=0.3))
    styles = [STYLES.get(name.split()[0], OTHERS) for name in rows["name"]]
    figure.add_bar(
        y=list(range(len(rows))), x=rows["duration_ms"], base=from_ms, orientation="h",
        text=[f"<b>{ms:,.1f} ms</b>" for ms in rows["duration_ms"]], textposition="none",
        marker={"color": [colour for colour, _ in styles], "line": {"width": 2, "color": INK},
                "pattern": {"shape": [shape for _, shape in styles], "fgcolor": INK}},
    )  # fmt: skip
    _write_beside(figure, rows, from_ms)
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[f"<b>{n}</b>" for n in rows["name"]]
    )
    return figure


def _write_beside(figure: go.Figure, rows: pd.DataFrame, from_ms: pd.Series[float]) -> None:
    """Each duration at the side of its bar where there is room."""
    all_ms = float((from_ms + rows["duration_ms"]).max())
    for place, (begin_ms, ms) in enumerate(zip(from_ms, rows["duration_ms"], strict=True)):
        is_left = begin_ms > all_ms / 2
        figure.add_annotation(
            y=place, x=begin_ms if is_left else begin_ms + ms, text=f"<b>{ms:,.1f} ms</b>",
            xanchor="right" if is_left else "left", xshift=-8 if is_left else 8, showarrow=False,
            font={"size": TEXT_PX, "color": INK},
        )  # fmt: skip


def _sentence(rows: pd.DataFrame, seen_ms: float | None) -> str:
    took_ms = rows.groupby("name")["duration_ms"].sum()
    whole_ms = took_ms.max() if seen_ms is None else seen_ms
    parts = [f"{took_ms[name]:,.0f} ms {text}" for name, text in TOLD if name in took_ms]
    return f"Of its {whole_ms:,.0f} ms: {', '.join(parts)}."
