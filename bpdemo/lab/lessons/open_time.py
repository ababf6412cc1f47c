"""How long a breaker should stay open: what it costs to ask too often, and too seldom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import plotly.graph_objects as go

from bpdemo.core.slips import forgiving
from bpdemo.lab.lessons.outages import back_after_s, outage
from bpdemo.lab.services.simulation import simulate
from bpdemo.load.run import LoadRun
from bpdemo.picture.frame import AXIS, Frame, say_simulated
from bpdemo.picture.palette import BLUE, FATE_COLOURS
from bpdemo.plan.fates import OK, SHED

DOWN_S: Final = 5.0
SETTLED_S: Final = 7.0
#: The payment comes back somewhere between two probes; this many moments are tried.
MOMENTS: Final = 4


class OpenTime(NamedTuple):
    """What one `breaker_open_s` costs."""

    open_s: float
    back_s: float
    """Until nine of ten are served again once the payment is back: the mean over some moments."""
    sacrificed_per_min: float
    """Customers whose order went to a payment that was down."""


@forgiving
def open_times(
    settings: Mapping[str, Any], open_s: Sequence[float], times: float = 0.6
) -> list[OpenTime]:
    """Simulate an outage with each `open_s`, several times, with an end at different moments."""
    return [_measured(settings, each_s, times) for each_s in open_s]


@forgiving
def open_time_figure(measured: Sequence[OpenTime]) -> go.Figure:
    """Both costs over `open_s`, on a scale where each step doubles or so."""
    shortest, longest = measured[0], measured[-1]
    title = (
        f"Open for {shortest.open_s:g} s: {shortest.sacrificed_per_min:.0f} customers a minute "
        f"sacrificed. For {longest.open_s:g} s: back {longest.back_s:.1f} s late."
    )
    figure = go.Figure(layout=_frame(title, [m.open_s for m in measured]))
    _line(figure, measured, [m.back_s for m in measured], BLUE, "x", "y")
    lost = [m.sacrificed_per_min for m in measured]
    _line(figure, measured, lost, FATE_COLOURS["failed"], "x2", "y2")
    say_simulated(figure)
    return figure


def _measured(settings: Mapping[str, Any], open_s: float, times: float) -> OpenTime:
    runs = []
    for moment in range(MOMENTS):
        end_s = SETTLED_S + 2 * max(open_s, 2.0) + open_s * moment / MOMENTS
        run = simulate(
            {**settings, "breaker_open_s": open_s},
            times=times,
            seconds=end_s + open_s + 3,
            changes=outage(DOWN_S, end_s),
        )
        runs.append((run, end_s))
    return OpenTime(
        open_s,
        float(np.mean([back_after_s(run, end_s) for run, end_s in runs])),
        float(np.mean([_sacrificed_per_s(run, end_s) for run, end_s in runs])) * 60,
    )


def _sacrificed_per_s(run: LoadRun, end_s: float) -> float:
    records = run.records
    inside = (records.t_s >= SETTLED_S) & (records.t_s < end_s)
    lost = (records.fate != OK) & (records.fate != SHED)
    return float(np.count_nonzero(inside & lost) / (end_s - SETTLED_S))


def _line(
    figure: go.Figure, measured: Sequence[OpenTime], y: list[float], colour: str, x_axis: str,
    y_axis: str,
) -> None:  # fmt: skip
    figure.add_scatter(
        x=[m.open_s for m in measured], y=y, xaxis=x_axis, yaxis=y_axis, mode="lines+markers",
        line={"color": colour, "width": 4}, marker={"size": 12},
    )  # fmt: skip


def _frame(title: str, open_s: list[float]) -> dict[str, Any]:
    x_axis = AXIS | {"title": "breaker_open_s (s)", "type": "log", "tickvals": open_s}
    y_axis = AXIS | {"rangemode": "tozero"}
    return Frame(title, inner_px=300, left_px=70).layout(
        xaxis=x_axis | {"domain": [0, 0.44], "anchor": "y"},
        xaxis2=x_axis | {"domain": [0.56, 1], "anchor": "y2"},
        yaxis=y_axis | {"title": "served again after (s)", "anchor": "x"},
        yaxis2=y_axis | {"title": "customers sacrificed a minute", "anchor": "x2"},
    )
