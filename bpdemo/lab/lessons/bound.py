"""`bound_figure`: a backlog that fills to its bound, and what had to be shed from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpdemo.core.slips import forgiving
from bpdemo.picture.lines import line_figure

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from bpdemo.lab.lessons.backlog_watch import BacklogWatch


@forgiving
def bound_figure(watch: BacklogWatch, sent: pd.DataFrame, room: int, *, title: str) -> go.Figure:
    """`room` is the bound that the backlog had while `sent` was sent."""
    end_s = max(watch.depths)
    refused_s = sent.loc[sent["status"] == 503, "at_s"].sort_values() - watch.began_s
    refused = {0.0: 0.0} | {t_s: float(place) for place, t_s in enumerate(refused_s, 1)}
    return line_figure(
        {
            "not yet processed": watch.depths,
            "shed, in all": refused | {end_s: float(len(refused_s))},
            f"capacity {room}": {0.0: room, end_s: room},
        },
        title=title,
        x="seconds",
        y="orders",
    )
