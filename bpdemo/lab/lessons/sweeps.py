"""`sweep`: the same service at several loads, and goodput drawn over load."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import plotly.graph_objects as go

from bpdemo.core.choices import Profile
from bpdemo.core.members import NoSuchFigure, forgiving_class
from bpdemo.core.ranges import require_text
from bpdemo.core.slips import forgiving
from bpdemo.lab.lessons.shared.durations import seconds as in_profile
from bpdemo.lab.services.loading import load_fresh
from bpdemo.lab.services.service import serve
from bpdemo.load.progress_line import ProgressText
from bpdemo.picture.frame import AXIS, Frame
from bpdemo.picture.palette import FATE_COLOURS, INK, TEXT_PX
from bpdemo.picture.void import warned

if TYPE_CHECKING:
    from bpdemo.load.run import LoadRun

STYLES: Final = (
    (FATE_COLOURS["late"], "dash", "square"),
    (FATE_COLOURS["ok"], "solid", "circle"),
)
"""The first sweep is the one that loses requests as *late*, the second the one that serves."""

LOW: Final = 0.15
"""The label of a line that ends lower than this stands above it."""


@forgiving_class
class Sweep:
    """Runs by how many times capacity was offered. `sweep[2]` is the run at twice capacity."""

    def __init__(self, name: str, runs: dict[float, LoadRun]) -> None:
        self.name = name
        self.runs = runs

    def __getitem__(self, times: float) -> LoadRun:
        if times not in self.runs:
            held = ", ".join(f"{each:g}" for each in self.runs)
            raise NoSuchFigure(f"this sweep has no run at {times!r}; it has them at {held}")
        return self.runs[times]

    @property
    def goodput_share(self) -> dict[float, float]:
        """Goodput as a share of capacity, by load."""
        return {times: run.summary["goodput_share"] for times, run in self.runs.items()}

    @property
    def offered_share(self) -> list[float]:
        """What was really offered, in times capacity: arrivals are random, so it is never quite
        what was meant, and a point drawn there would lie beside the line of what is possible.
        """
        capacities = (run.summary["capacity_per_s"] for run in self.runs.values())
        offered = (run.summary["offered_per_s"] for run in self.runs.values())
        return [rate / capacity for rate, capacity in zip(offered, capacities, strict=True)]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Displayed, a sweep is its picture."""
        picture = goodput_figure(self)
        bundle: dict[str, Any] = dict(picture._repr_mimebundle_(include, exclude) or {})
        return bundle | {"text/plain": repr(self)}

    def __repr__(self) -> str:
        told = ", ".join(f"{times:g}×: {share:.0%}" for times, share in self.goodput_share.items())
        return f"<Sweep {self.name}, goodput of capacity by load: {told}>"

    def require_valid(self) -> Sweep:
        """Raise `NotMeasured` if the machine was too busy in any of the runs."""
        for run in self.runs.values():
            run.require_valid()
        return self


@forgiving
def sweep(
    profile: Profile,
    times: Sequence[float],
    seconds: float | None = None,
    *,
    known: Mapping[float, LoadRun] = MappingProxyType({}),
    name: str | None = None,
    **knobs: Any,
) -> Sweep:
    """Drive a fresh service at each of `times` its capacity; `seconds` each (usually 6).

    `known` are runs that have been made already, by how many times capacity they offered. `name`
    is what the figure calls the sweep: the profile, unless told.
    """
    run_s = in_profile(6) if seconds is None else seconds
    if name is not None:
        require_text("name", name)
    runs = dict(known)
    loads = list(times)
    if not loads and not runs:
        raise ValueError("times: there is no load to drive; give some, such as [0.5, 2]")
    start = functools.partial(serve, profile, name=f"{profile} sweep", **knobs)
    with ProgressText() as progress:
        for place, multiple in enumerate(loads, 1):
            progress.show(f"Run {place} of {len(loads)}: {multiple:g}× capacity for {run_s:g} s")
            # A fresh one each: what an unprotected queue holds would weigh on the next run.
            run = load_fresh(start, times=multiple, seconds=run_s)
            runs[multiple] = run if name is None else run.named(name)
    return Sweep(name or profile, dict(sorted(runs.items())))


@forgiving
def goodput_figure(*sweeps: Sweep) -> go.Figure:
    """Goodput over load, one line a sweep, beside the best that is possible."""
    if not sweeps:
        raise TypeError("goodput_figure() takes one sweep or more; there is none")
    loads = sorted({times for sweep in sweeps for times in sweep.runs})
    figure = go.Figure(layout=_frame(loads, sweeps))
    figure.add_scatter(
        x=[0, 1, loads[-1]], y=[0, 1, 1], mode="lines", line={"color": INK, "dash": "dot"}
    )
    _label(figure, loads[-1], 1.0, "all it can serve", INK, shift=14)
    for sweep, (colour, dash, symbol) in zip(sweeps, STYLES, strict=False):
        shares = sweep.goodput_share
        figure.add_scatter(
            x=sweep.offered_share, y=list(shares.values()), mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 4},
            marker={"size": 12, "symbol": symbol},
        )  # fmt: skip
        last = shares[max(shares)]
        shift = 18 if last < LOW else -18  # the axis would run through what stands below
        _label(figure, loads[-1], last, sweep.name, colour, shift=shift)
    return figure


def _frame(loads: list[float], sweeps: Sequence[Sweep]) -> dict[str, Any]:
    told = "; ".join(f"{s.name} {s.goodput_share[max(s.runs)]:.0%}" for s in sweeps)
    title = f"Goodput, as a share of capacity, at {loads[-1]:g}× load: {told}"
    x_axis = AXIS | {"title": "requests offered (× capacity)", "tickvals": loads}
    y_axis = AXIS | {"title": "goodput (share of capacity)", "tickformat": ".0%"}
    title = warned(title, (run for sweep in sweeps for run in sweep.runs.values()))
    return Frame(title, inner_px=330, left_px=84).layout(
        xaxis=x_axis | {"range": [0, loads[-1] * 1.04]}, yaxis=y_axis | {"range": [0, 1.18]}
    )


def _label(figure: go.Figure, x: float, y: float, text: str, colour: str, *, shift: int) -> None:
    figure.add_annotation(
        x=x, y=y, text=f"<b>{text}</b>", showarrow=False, xanchor="right", yshift=shift,
        font={"color": colour, "size": TEXT_PX},
    )  # fmt: skip
