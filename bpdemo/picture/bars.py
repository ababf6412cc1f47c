"""`fate_bars`: what became of the orders of several runs, or of parts of one; a bar each.

Beside the bars, if wanted, how long people waited: those who were served, and those who were not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import plotly.graph_objects as go

from bpdemo.picture.frame import NO_TICKS, Frame, say_simulated
from bpdemo.picture.labels import width_of
from bpdemo.picture.palette import (
    FATE_COLOURS,
    FATE_PATTERNS,
    GRID,
    INK,
    INK_ON,
    TEXT_PX,
)
from bpdemo.picture.void import warned
from bpdemo.plan.fates import FATES, WORDS
from bpdemo.plan.plan import require_range
from bpdemo.results.waits import buyers_wait_ms, others_wait_ms

if TYPE_CHECKING:
    from bpdemo.results.run import Run

WIDTH_PX: Final = 1000
ROW_PX: Final = 52
WAITS_FROM: Final = 0.68
"""Where the waits begin, as a share of the width that the bars leave them."""


def fate_bars(
    runs: Mapping[str, Run],
    title: str = "",
    *,
    mark: tuple[float, str] = (1.0, "capacity"),
    waits: bool = False,
    after_s: float = 0.0,
) -> go.Figure:
    """A bar for each of `runs`: its requests after `after_s`, by fate, as a share of capacity.

    `mark` is a line at a share to compare with. `waits` adds how long 99% of those who were served
    waited at most, and half of the others before they knew that they would not be. The title tells
    the goodput of each, unless given.
    """
    runs = {str(name): run for name, run in runs.items()}  # by numbers, too: {2: run, 5: run}
    if not runs:
        raise ValueError("runs: there is no run to draw a bar for")
    _require_after(after_s, runs)
    shares = {name: _shares(run, after_s) for name, run in runs.items()}
    told = "; ".join(f"{name} {share['ok']:.0%}" for name, share in shares.items())
    x_axis = {"title": _titled("requests (share of capacity)"), "tickformat": ".0%"}
    heading = title or f"Goodput, as a share of capacity: {told}"
    heading = warned(heading, runs.values())
    figure = go.Figure(layout=bar_layout(heading, runs, x_axis, *((1.35, 2) if waits else ())))
    longest = max(*(sum(share.values()) for share in shares.values()), mark[0]) * 1.02
    figure.update_xaxes(range=[0, longest], selector=0)
    per_px = longest / (WIDTH_PX * (0.5 if waits else 0.75))
    for fate in FATES:
        figure.add_bar(**_bar(fate, {n: share[fate] for n, share in shares.items()}, per_px))
    _draw_mark(figure, *mark)
    if waits:
        _add_waits(figure, runs, after_s)
    if all(run.meta.virtual for run in runs.values()):
        say_simulated(figure)
    return figure


def _require_after(after_s: float, runs: Mapping[str, Run]) -> None:
    """ValueError unless every run goes on after that."""
    shortest = min(runs.values(), key=lambda run: run.meta.seconds)
    seconds = shortest.meta.seconds
    if require_range("after_s", after_s, 0, seconds) == seconds:
        raise ValueError(f"after_s must be below {seconds:g}, when {shortest.meta.name} ends")


def _shares(run: Run, after_s: float) -> dict[str, float]:
    """Requests of each fate, as a share of what the service can serve in that time."""
    summary = run.between(after_s, run.meta.seconds)
    return {fate: summary[f"{_RATES[fate]}_per_s"] / summary["capacity_per_s"] for fate in FATES}


_RATES: Final = {"ok": "goodput", "late": "late", "shed": "shed", "failed": "failed"}


def _bar(fate: str, shares: Mapping[str, float], per_px: float) -> dict[str, Any]:
    return {
        "x": list(shares.values()), "y": list(shares), "orientation": "h", "width": 0.72,
        "text": [_told(fate, share, share / per_px) for share in shares.values()],
        "textposition": "inside", "insidetextanchor": "middle", "textangle": 0,
        "textfont": {"color": INK_ON[fate], "size": TEXT_PX}, "constraintext": "none",
        "name": WORDS[fate],
        "marker": {"color": FATE_COLOURS[fate], "line": {"color": "white", "width": 1},
                   "pattern": {"shape": FATE_PATTERNS[fate], "size": 9, "solidity": 0.12,
                               "bgcolor": FATE_COLOURS[fate], "fgcolor": "white"}},
    }  # fmt: skip


def _told(fate: str, share: float, room_px: float) -> str:
    """Word and number, or what of it the bar has room for."""
    number = f"{share:.0%}"  # as a lesson's own title rounds it
    for text in (f"{WORDS[fate]} {number}", number):
        if width_of(text, TEXT_PX) + 4 < room_px:
            return f"<b>{text}</b>"
    return ""


def _draw_mark(figure: go.Figure, share: float, text: str) -> None:
    figure.add_shape(
        type="line", x0=share, x1=share, y0=0, y1=1, yref="y domain",
        line={"color": INK, "dash": "dash", "width": 3}, layer="below",
    )  # fmt: skip
    # Below the bars, between which it shows: their numbers stand where it would run through them.
    _write(figure, share, text, xref="x", yref="y domain", y=1, yshift=2)


def _add_waits(figure: go.Figure, runs: Mapping[str, Run], after_s: float) -> None:
    longest_ms = max(run.meta.client_timeout_s for run in runs.values()) * 1000
    bought = {name: buyers_wait_ms(run, after_s) for name, run in runs.items()}
    others = {name: others_wait_ms(run, after_s) for name, run in runs.items()}
    kinds = (
        (bought, FATE_COLOURS["ok"], "circle", "top center"),
        (others, INK, "diamond-open", "bottom center"),
    )
    for waited_ms, colour, symbol, place in kinds:
        figure.add_scatter(
            x=list(waited_ms.values()), y=list(waited_ms), xaxis="x2", mode="markers+text",
            marker={"color": colour, "size": 16, "symbol": symbol, "line": {"width": 3}},
            text=[f"<b>{ms:.0f} ms</b>" for ms in waited_ms.values()], textposition=place,
            textfont={"color": colour, "size": TEXT_PX}, cliponaxis=False,
        )  # fmt: skip
    figure.update_layout(
        xaxis={"domain": [0, WAITS_FROM - 0.06]},
        xaxis2={"domain": [WAITS_FROM, 1], "range": [-40, longest_ms * 1.12], "gridcolor": GRID,
                "title": _titled("waited (ms)"), "tickvals": [0, longest_ms / 2, longest_ms]},
    )  # fmt: skip
    key = f"<span style='color:{FATE_COLOURS['ok']}'><b>● served (p99)</b></span><br>"
    key += "<b>◇ the others (median)</b>"
    _write(
        figure, (1 + WAITS_FROM) / 2, key,
        xref="paper", xanchor="center", yref="paper", y=1, yshift=2,
    )  # fmt: skip


def _write(figure: go.Figure, x: float, text: str, **more: Any) -> None:
    figure.add_annotation(
        x=x, text=text, showarrow=False, yanchor="bottom", font={"size": TEXT_PX, "color": INK},
        **more,
    )  # fmt: skip


def _titled(text: str) -> dict[str, Any]:
    return {"text": text, "font": {"size": TEXT_PX}, "standoff": 6}


def bar_layout(
    title: str,
    names: Mapping[str, Any],
    x_axis: dict[str, Any],
    rows: float = 1.0,
    lines_above: int = 1,
) -> dict[str, Any]:
    """For bars that lie, a name each on the left. `rows`: how many times the usual height each.

    `lines_above`: of text, between the title and the bars.
    """
    left_px = 34 + max(width_of(name, TEXT_PX) for name in names)
    above_px = 18 + 1.3 * TEXT_PX * (lines_above - 1)
    frame = Frame(title, ROW_PX * len(names) * rows, WIDTH_PX, left_px, above_px=above_px)
    y_axis = {"autorange": "reversed", "type": "category"} | NO_TICKS
    return frame.layout(barmode="stack", xaxis={"gridcolor": GRID} | x_axis, yaxis=y_axis)
