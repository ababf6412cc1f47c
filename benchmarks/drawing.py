"""The pictures of the results, in the colours and type of the workshop's own."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

import plotly.graph_objects as go

from bpdemo.picture.palette import (
    BLUE,
    FONT,
    GREEN,
    GRID,
    INK,
    ORANGE,
    PURPLE,
    SKY_BLUE,
    VERMILLION,
)

WIDTH_PX, HEIGHT_PX = 930, 460
#: Of an axis title that stands upright, so that no picture cuts it off.
UPRIGHT_LETTERS = 32
COLOURS = (BLUE, ORANGE, VERMILLION, SKY_BLUE, PURPLE, GREEN)
MARKS = ("circle", "square", "diamond", "cross", "x", "triangle-up")

Series = Mapping[str, Mapping[float, float]]


def lines(
    series: Series, *, title: str, x: str, y: str, log_x: bool = False, main: str = ""
) -> go.Figure:
    """A line for each, named where it ends; `main` is drawn thickest."""
    traces = []
    for (name, points), colour, mark in zip(series.items(), COLOURS, MARKS, strict=False):
        traces.append(
            go.Scatter(
                x=list(points), y=list(points.values()), name=name, mode="lines+markers",
                line={"color": colour, "width": 5 if name == main else 2.5},
                marker={"symbol": mark, "size": 11, "color": colour},
            )
        )  # fmt: skip
    ticks = sorted({value for points in series.values() for value in points})
    figure = framed(go.Figure(traces), title=title, x=x, y=y)
    if log_x:
        figure.update_xaxes(
            type="log", tickvals=ticks, ticktext=[f"{tick:,g}" for tick in ticks], tickangle=0
        )
    return figure


def framed(figure: go.Figure, *, title: str, x: str, y: str, **layout: Any) -> go.Figure:
    figure.update_layout(
        title={"text": f"<b>{title}</b>", "x": 0.02},
        width=WIDTH_PX, height=HEIGHT_PX, plot_bgcolor="white",
        font={"family": FONT, "size": 16, "color": INK},
        margin={"l": 80, "r": 30, "t": 70, "b": 70},
        xaxis={"title": x, "showline": True, "linecolor": INK, "ticks": "outside"},
        yaxis={
            "title": "<br>".join(wrap(y, UPRIGHT_LETTERS)), "automargin": True,
            "rangemode": "tozero", "gridcolor": GRID, "linecolor": INK,
        },
        legend={"bgcolor": "rgba(255,255,255,0.8)"},
        **layout,
    )  # fmt: skip
    return figure
