"""Two sums as pictures, without a run: what layers that retry make of an order, and how much time
each hop of a call believes it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import plotly.graph_objects as go

from bpdemo.core.ranges import require_count, require_number
from bpdemo.core.slips import forgiving
from bpdemo.picture.bars import bar_layout
from bpdemo.picture.palette import BLUE, GREEN, INK, ORANGE, TEXT_PX

INKS: Final = {ORANGE: INK, BLUE: "white"}
"""What can be read on the colour of a bar."""

__all__ = ["attempts_by_layers", "deadline_figure", "deadlines", "layers_figure"]


@forgiving
def attempts_by_layers(layers: int = 3, attempts: int = 3, budget: float = 0.1) -> dict[str, float]:
    """How many attempts of one order reach a service that answers each with a 503.

    Each of `layers` makes up to `attempts`, so they multiply. In the last row one layer alone
    retries, with a `budget` of so many retries for each order.
    """
    require_count("layers", layers, 1)
    require_count("attempts", attempts, 1)
    require_number("budget", budget, 0, 1)
    rows = {"nobody retries": 1.0, "the client library retries": float(attempts)}
    for layer in range(2, layers + 1):
        rows[f"{layer} layers retry"] = float(attempts**layer)
    return rows | {f"one layer, budget {budget:.0%}": 1 + budget}


@forgiving
def layers_figure(rows: Mapping[str, float]) -> go.Figure:
    """A bar for each row of `attempts_by_layers`."""
    worst = max(rows, key=lambda name: rows[name])
    title = f"One order that is shed, and the attempts it becomes: {rows[worst]:g} if {worst}"
    figure = go.Figure(layout=bar_layout(title, rows, {"title": "attempts that reach the service"}))
    figure.add_bar(
        x=list(rows.values()), y=list(rows), orientation="h", width=0.7,
        marker={"color": [ORANGE if count > 2 else GREEN for count in rows.values()]},
        text=[f"<b>{count:g}</b>" for count in rows.values()], textposition="outside",
        textfont={"color": INK, "size": TEXT_PX}, cliponaxis=False,
    )  # fmt: skip
    return figure


@forgiving
def deadlines(
    timeout_ms: float, spent_ms: Mapping[str, float], *, copied: bool
) -> dict[str, tuple[float, float]]:
    """For each hop: when it is called, and until when it believes it may work, in ms.

    `spent_ms` says how long each hop takes before it calls the next one. Where the timeout is
    `copied`, each hop begins it anew. Where the time that has passed is subtracted, all end with
    their caller.
    """
    rows, called_ms = {}, 0.0
    for hop, spent in spent_ms.items():
        rows[hop] = (called_ms, called_ms + timeout_ms if copied else timeout_ms)
        called_ms += spent
    return rows


@forgiving
def deadline_figure(timeout_ms: float, spent_ms: Mapping[str, float]) -> go.Figure:
    """Copied and subtracted, a bar for each hop, against the moment at which the caller leaves."""
    ways = {"copied": (ORANGE, True), "subtracted": (BLUE, False)}
    rows = {
        f"{hop}, {way}": (colour, start, end)
        for way, (colour, copied) in ways.items()
        for hop, (start, end) in deadlines(timeout_ms, spent_ms, copied=copied).items()
    }
    latest = max(end for _, _, end in rows.values())
    title = f"The caller leaves after {timeout_ms:g} ms. With a copied timeout the last hop works"
    title += f" until {latest:g} ms"
    axis = {"title": "ms since the caller sent the request", "range": [0, latest * 1.05]}
    figure = go.Figure(layout=bar_layout(title, rows, axis))
    figure.add_bar(
        base=[start for _, start, _ in rows.values()], orientation="h", width=0.7,
        x=[end - start for _, start, end in rows.values()], y=list(rows),
        marker={"color": [colour for colour, *_ in rows.values()]},
        text=[f"<b>{end - start:g} ms</b>" for _, start, end in rows.values()],
        textposition="inside", insidetextanchor="middle",
        textfont={"color": [INKS[colour] for colour, *_ in rows.values()], "size": TEXT_PX},
    )  # fmt: skip
    figure.add_vline(x=timeout_ms, line={"color": INK, "dash": "dash", "width": 3}, layer="below")
    figure.add_annotation(
        x=timeout_ms, y=1, yref="y domain", yanchor="bottom", showarrow=False,
        text="<b>the caller leaves</b>", font={"color": INK, "size": TEXT_PX},
    )  # fmt: skip
    return figure
