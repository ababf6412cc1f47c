"""`line_figure`: one measure over another, a labelled line for each service or customer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import plotly.graph_objects as go

from bpdemo.picture.frame import AXIS, Frame, say_simulated
from bpdemo.picture.labels import spread, width_of
from bpdemo.picture.palette import BLUE, GREEN, GREY, INK, LINES, TEXT_PX, VERMILLION
from bpdemo.picture.void import Judged, warned

Curve = Mapping[float, float]
"""x → y."""

DARK_PURPLE: Final = LINES["p99"][0]

Style = tuple[str, str, str]
"""Colour, dash and marker."""

STYLES: Final[tuple[Style, ...]] = (
    (GREEN, "solid", "circle"),
    (VERMILLION, "dash", "square"),
    (BLUE, "dashdot", "diamond"),
    (DARK_PURPLE, "dot", "triangle-up"),
)
"""Of the first line, the second, …: three cues, so that two may fail."""
SERVED: Final[Style] = STYLES[0]
"""In the colour that what is served has everywhere."""
OFFERED: Final[Style] = (GREY, "dash", "square")

INNER_PX: Final = 325
LABEL_GAP: Final = 1.3
MOST_MARKERS: Final = 12
"""With more points than that, a marker at each would hide the line."""


def line_figure(
    lines: Mapping[str, Curve],
    *,
    title: str,
    x: str,
    y: str,
    percent: bool = False,
    points: Mapping[str, Curve] | None = None,
    wall: tuple[float, str] | None = None,
    styles: Sequence[Style] = STYLES,
    most_y: float | None = None,
    simulated: bool = False,
    runs: Iterable[Judged] = (),
) -> go.Figure:
    """Each of `lines` with its name at its right end; `title` says the result.

    `x` and `y` name the axes with their units; with `percent`, y is a share. `points` are what was
    measured beside lines of the same names, which are then drawn without markers. `wall` is a
    place on the x axis that matters, with its name. `styles`: how the first line looks, the
    second, and so on. What is above `most_y` runs out of the picture. `simulated` figures say so in
    their corner. `runs` are those behind the figures: the title says NOT MEASURED if the machine
    did not keep up with one of them.
    """
    if not 0 < len(lines) <= len(styles):
        raise ValueError(f"lines: from 1 to {len(styles)} can be told apart, not {len(lines)}")
    above_px = TEXT_PX * 1.6 if wall else 0
    frame = Frame(
        warned(title, runs), INNER_PX, left_px=84, right_px=_room_px(lines), above_px=above_px
    )
    y_axis = AXIS | {"title": y, "tickformat": ".0%" if percent else ""}
    figure = go.Figure(layout=frame.layout(xaxis=AXIS | {"title": x}, yaxis=y_axis))
    for (name, line), style in zip(lines.items(), styles, strict=False):
        measured = (points or {}).get(name)
        is_bare = measured or len(line) > MOST_MARKERS
        _draw(figure, line, style, "lines" if is_bare else "lines+markers")
        if measured:
            _draw(figure, measured, style, "markers")
    _bound(figure, [*lines.values(), *(points or {}).values()], most_y)
    _name(figure, lines, INNER_PX, styles)
    if wall:
        _wall(figure, *wall)
    if simulated:
        say_simulated(figure)
    return figure


def _draw(figure: go.Figure, line: Curve, style: Style, mode: str) -> None:
    colour, dash, symbol = style
    figure.add_scatter(
        x=list(line), y=list(line.values()), mode=mode, cliponaxis=False,
        line={"color": colour, "dash": dash, "width": 4},
        marker={"size": 12, "symbol": symbol, "color": colour},
    )  # fmt: skip


def _bound(figure: go.Figure, lines: list[Curve], most_y: float | None) -> None:
    figure.update_xaxes(range=[0, max(max(line) for line in lines) * 1.01])
    top = most_y or max(max(line.values()) for line in lines) * 1.12 or 1
    figure.update_yaxes(range=[-0.015 * top, top])  # a line along 0 is seen in full width


def _name(
    figure: go.Figure, lines: Mapping[str, Curve], height_px: float, styles: Sequence[Style]
) -> None:
    """The names, to the right of where the lines end, pushed apart where they would meet."""
    low, high = figure.layout.yaxis.range
    per_px = (high - low) / height_px
    wanted = [(line[max(line)] - low) / per_px for line in lines.values()]
    places = spread(wanted, TEXT_PX * LABEL_GAP, 0, height_px)
    for name, place, (colour, *_) in zip(lines, places, styles, strict=False):
        figure.add_annotation(
            xref="paper", x=1, xanchor="left", xshift=12, y=low + place * per_px,
            yanchor="middle", text=f"<b>{name}</b>", showarrow=False,
            font={"color": colour, "size": TEXT_PX},
        )  # fmt: skip


def _wall(figure: go.Figure, at: float, text: str) -> None:
    figure.add_vline(x=at, line={"color": INK, "dash": "dash", "width": 3})
    figure.add_annotation(
        x=at, yref="paper", y=1, yanchor="bottom", text=f"<b>{text}</b>", showarrow=False,
        font={"color": INK, "size": TEXT_PX},
    )  # fmt: skip


def _room_px(lines: Mapping[str, Curve]) -> float:
    return 20 + max(width_of(name, TEXT_PX, bold=True) for name in lines)
