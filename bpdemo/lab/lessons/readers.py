"""`look_at_once`: many people look at items in the same moment; where did each answer come from?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import httpx
import plotly.graph_objects as go

from bpdemo.core.slips import forgiving
from bpdemo.lab.lessons.single_orders import TIMEOUT_S, Answering
from bpdemo.picture.bars import WIDTH_PX, bar_layout
from bpdemo.picture.labels import width_of
from bpdemo.picture.palette import (
    BLUE,
    GREEN,
    ORANGE,
    SKY_BLUE,
    TEXT_PX,
    VERMILLION,
)

if TYPE_CHECKING:
    import pandas as pd

AT_ONCE: Final = 100
SOURCES: Final = {
    "miss": (ORANGE, "/", "#000000"),
    "coalesced": (SKY_BLUE, ".", "#000000"),
    "hit": (GREEN, "", "#FFFFFF"),
    "stale": (BLUE, "\\", "#FFFFFF"),
    "no answer": (VERMILLION, "x", "#FFFFFF"),
}
"""Colour, pattern and ink of each source: two cues, so that one may fail."""

PATTERN: Final = {"fillmode": "overlay", "fgcolor": "rgba(0,0,0,0.3)", "size": 7}
SHORTEST_PX: Final = 30


@forgiving
def look_at_once(service: Answering, items: Sequence[int]) -> pd.DataFrame:
    """`GET /items/{id}` for each of `items`, side by side, at most a hundred at once.

    A row each, in their order: item, status, source (X-Cache, or "no answer" for what was not
    served), ms.
    """
    from bpdemo.results.table import Table

    limits = httpx.Limits(max_connections=AT_ONCE)
    with (
        httpx.Client(
            base_url=service.url, trust_env=False, timeout=TIMEOUT_S, limits=limits
        ) as http,
        ThreadPoolExecutor(max_workers=min(AT_ONCE, len(items))) as people,
    ):
        return Table(list(people.map(lambda item: _look(http, item), items)))


def _look(http: httpx.Client, item: int) -> dict[str, Any]:
    answer = http.get(f"/items/{item}")
    source = answer.headers.get("X-Cache", "") if answer.is_success else "no answer"
    return {
        "item": item,
        "status": answer.status_code,
        "source": source,
        "ms": answer.elapsed.total_seconds() * 1000,
    }


@forgiving
def source_bars(looks: Mapping[str, pd.DataFrame], *, title: str) -> go.Figure:
    """For each crowd a bar: from where its answers came. `title` says the result."""
    x_axis = {"title": {"text": "people who looked", "font": {"size": TEXT_PX}, "standoff": 6}}
    figure = go.Figure(layout=bar_layout(title, looks, x_axis))
    for name, look in looks.items():
        counts = look["source"].value_counts()
        per_px = counts.sum() / (WIDTH_PX - 260)
        for source, (colour, pattern, ink) in SOURCES.items():
            if n := int(counts.get(source, 0)):
                told = f"<b>{n} {source}</b>"
                fits = n / per_px > max(SHORTEST_PX, width_of(told, TEXT_PX))
                figure.add_bar(
                    x=[n], y=[name], orientation="h", text=told if fits else str(n),
                    textposition="inside", insidetextanchor="middle", textangle=0,
                    textfont={"size": TEXT_PX, "color": ink},
                    marker={"color": colour, "pattern": PATTERN | {"shape": pattern}},
                )  # fmt: skip
    return figure
