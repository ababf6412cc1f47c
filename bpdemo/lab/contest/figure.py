"""The picture of a score: four bars, what was won of each, and how the rest was lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from bpdemo.lab.contest.scene_score import PARTS, SCENE_POINTS, SceneScore
from bpdemo.picture.frame import NO_TICKS, Frame
from bpdemo.picture.labels import width_of
from bpdemo.picture.palette import FATE_COLOURS, FATE_PATTERNS, GRID, INK_ON, TEXT_PX

WIDTH_PX: Final = 930
FATE_OF: Final = {"won": "ok", "late": "late", "failed": "failed", "shed": "shed"}


def score_figure(sentence: str, scenes: Sequence[SceneScore]) -> go.Figure:
    """Points won and lost, scene by scene, under the result in words."""
    figure = go.Figure(layout=_frame(sentence))
    for part, fate in FATE_OF.items():
        figure.add_bar(**_bar(scenes, part, fate))
    return figure


def _bar(scenes: Sequence[SceneScore], part: str, fate: str) -> dict[str, Any]:
    points = [getattr(scene, part) for scene in scenes]
    return {
        "x": points, "y": [scene.title for scene in scenes], "orientation": "h",
        "width": 0.7, "name": PARTS[part],
        "text": [_told(part, each) for each in points],
        "textposition": "inside", "insidetextanchor": "middle", "textangle": 0,
        "textfont": {"color": INK_ON[fate], "size": TEXT_PX}, "constraintext": "none",
        "marker": {"color": FATE_COLOURS[fate], "line": {"color": "white", "width": 1},
                   "pattern": {"shape": FATE_PATTERNS[fate], "size": 9, "solidity": 0.12,
                               "bgcolor": FATE_COLOURS[fate], "fgcolor": "white"}},
    }  # fmt: skip


def _told(part: str, points: float) -> str:
    """Word and number, or what of it the bar has room for."""
    room_px = points / SCENE_POINTS * WIDTH_PX * 0.8
    for text in (f"{PARTS[part]} {points:.0f}", f"{points:.0f}"):
        if width_of(text, TEXT_PX) + 8 < room_px:
            return f"<b>{text}</b>"
    return ""


def _frame(sentence: str) -> dict[str, Any]:
    x_axis = {"title": f"points (of {SCENE_POINTS} a scene)", "range": [0, SCENE_POINTS]}
    x_axis |= {"gridcolor": GRID, "tickvals": [0, 50, 100, 150, 200, 250]}
    y_axis = {"autorange": "reversed", "type": "category"} | NO_TICKS
    frame = Frame(sentence, inner_px=250, width_px=WIDTH_PX, left_px=130)
    return frame.layout(barmode="stack", xaxis=x_axis, yaxis=y_axis)
