"""`stuck_map`: which trigger a service survives at which load: below the edge, and not above.

The axis of the trigger's length is logarithmic: edges lie from a tenth of a second to a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite, log10
from typing import Final, NamedTuple, TypeVar

import plotly.graph_objects as go

from bpdemo.picture.frame import AXIS, Frame
from bpdemo.picture.palette import (
    BLACK,
    BLUE,
    FATE_COLOURS,
    GREY,
    INK,
    SIMULATED,
    TEXT_PX,
)

T = TypeVar("T")

LEAST_S: Final = 0.1
INNER_PX: Final = 380
#: How far to each side a single load is drawn, as a share of it.
SPREAD: Final = 0.05
TICKS_S: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60)


class LivePoint(NamedTuple):
    """A trigger that a real service was given at that load, and how often it stuck, of `runs`."""

    load: float
    trigger_s: float
    stuck: int
    runs: int


def stuck_map(
    edges_s: Mapping[float, float],
    bands_s: Mapping[float, tuple[float, float]],
    *,
    title: str,
    most_s: float = 60.0,
    model_s: Mapping[float, float] | None = None,
    live: Iterable[LivePoint] = (),
    stable_to: float | None = None,
) -> go.Figure:
    """`edges_s`: load → the trigger at which half of the seeds stick, inf where none does.

    `bands_s`: load → where one in ten and nine in ten do. `model_s` is a model's edge, drawn as a
    dashed line; `live` are measured points, filled where the service stuck in most runs. Up to the
    load `stable_to` no trigger sticks: the edge ends there in a wall, and does not slope to the
    last load below it. `title` says the result.
    """
    edges_s, bands_s = _with_width(edges_s), _with_width(bands_s)
    loads = sorted(edges_s)
    at, where = _places(loads, stable_to)
    curves = (lambda load: bands_s[load][0], lambda load: bands_s[load][1], edges_s.__getitem__)
    low, high, edge = ([_drawn(curve(load), most_s) for load in where] for curve in curves)
    frame = Frame(title, INNER_PX, left_px=96, right_px=150)
    x_axis = AXIS | {"title": "load (share of capacity)", "tickformat": ".0%", "showgrid": False}
    y_axis = AXIS | {
        "title": "length of the trigger (s)", "type": "log",
        "tickvals": TICKS_S, "ticktext": [f"{s:g}" for s in TICKS_S],
    }  # fmt: skip
    figure = go.Figure(layout=frame.layout(xaxis=x_axis, yaxis=y_axis))
    _fill(figure, at, [LEAST_S] * len(at), low, FATE_COLOURS["ok"], "")
    _fill(figure, at, low, high, GREY, "/")
    _fill(figure, at, high, [most_s] * len(at), FATE_COLOURS["failed"], "x")
    _line(figure, at, edge, INK, "solid")
    labels = {"edge": (edge[-1], INK)}
    live = list(live)
    if live:
        _write(figure, "live:<br>✕ stuck<br>○ recovered", BLACK, xref="paper", x=1, xanchor="left",
               xshift=12, yref="paper", y=0.92)  # fmt: skip
    if model_s:
        known = [load for load in sorted(model_s) if isfinite(model_s[load])]
        model = [_drawn(model_s[load], most_s) for load in known]
        _line(figure, known, model, BLUE, "dash")
        labels["model"] = (model[-1] * 0.8, BLUE)
    for point in live:
        is_stuck = 2 * point.stuck > point.runs
        figure.add_scatter(
            x=[point.load], y=[point.trigger_s], mode="markers", cliponaxis=False,
            marker={"size": 15, "symbol": "x" if is_stuck else "circle-open", "color": BLACK,
                    "line": {"width": 3, "color": BLACK}},
        )  # fmt: skip
    figure.update_xaxes(range=[loads[0], loads[-1]])
    figure.update_yaxes(range=[log10(LEAST_S), log10(most_s)])
    _name(figure, labels, most_s)
    return figure


def _places(loads: list[float], stable_to: float | None) -> tuple[list[float], list[float]]:
    """Where the curves have a point, and of which load it is: the wall has the last one below it
    and the first one above it."""
    below = 0 if stable_to is None else sum(load <= stable_to for load in loads)
    if stable_to is None or not 0 < below < len(loads):
        return loads, loads
    under, over = loads[:below], loads[below:]
    return [*under, stable_to, stable_to, *over], [*under, under[-1], over[0], *over]


def _with_width(at_load: Mapping[float, T]) -> Mapping[float, T]:
    """A map of a single load would have no width, and no band: it is drawn a bit to each side."""
    if len(at_load) != 1:
        return at_load
    [(load, found)] = at_load.items()
    return {load * (1 - SPREAD): found, load * (1 + SPREAD): found}


def _drawn(seconds: float, most_s: float) -> float:
    return min(max(seconds, LEAST_S), most_s)


def _fill(
    figure: go.Figure,
    loads: list[float],
    low: list[float],
    high: list[float],
    colour: str,
    pattern: str,
) -> None:
    figure.add_scatter(
        x=[*loads, *reversed(loads)], y=[*high, *reversed(low)], mode="lines", fill="toself",
        line={"width": 0}, opacity=1, fillcolor=colour,
        fillpattern={"shape": pattern, "fgcolor": "white", "bgcolor": colour, "solidity": 0.15,
                     "size": 10},
    )  # fmt: skip


def _line(figure: go.Figure, x: list[float], y: list[float], colour: str, dash: str) -> None:
    figure.add_scatter(
        x=x, y=y, mode="lines", cliponaxis=False, line={"color": colour, "dash": dash, "width": 4}
    )


def _name(figure: go.Figure, labels: Mapping[str, tuple[float, str]], most_s: float) -> None:
    named = [(log10(y), name, colour) for name, (y, colour) in labels.items()]
    gap = 0.06 * (log10(most_s) - log10(LEAST_S))
    place = -9.0
    for y, name, colour in sorted(named):
        place = max(y, place + gap)
        _write(figure, name, colour, xref="paper", x=1, xanchor="left", xshift=12, y=place)
    # Where each is sure to be: edges fall as the load rises.
    for text, fate, x, side, y in (
        ("stays stuck", "failed", 0.97, "right", 0.9), ("recovers", "ok", 0.03, "left", 0.08),
    ):  # fmt: skip
        _write(figure, text, "#FFFFFF", xref="paper", x=x, xanchor=side, yref="paper", y=y,
               bgcolor=FATE_COLOURS[fate])  # fmt: skip
    _write(
        figure, "chance<br>decides", GREY, xref="paper", x=1, xanchor="left", xshift=12,
        yref="paper", y=0.62,
    )  # fmt: skip
    margin = figure.layout.margin
    _write(figure, SIMULATED, GREY, xref="paper", x=1, xanchor="right", xshift=margin.r - 8,
           yref="paper", y=0, yanchor="bottom", yshift=6 - margin.b)  # fmt: skip


def _write(figure: go.Figure, text: str, colour: str, **place: object) -> None:
    is_plain = text == SIMULATED
    figure.add_annotation(
        text=text if is_plain else f"<b>{text}</b>", showarrow=False, align="left",
        font={"color": colour, "size": TEXT_PX}, **place,
    )  # fmt: skip
