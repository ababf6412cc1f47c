"""A score: up to 250 points for each of four scenes, and where the others went."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from bpdemo.lab.contest.figure import score_figure
from bpdemo.lab.contest.scene_score import SCENE_POINTS, SceneScore
from bpdemo.picture.palette import FONT


class Score:
    """`total` of 1000, and `scenes` one by one. Displayed, it is a table."""

    def __init__(self, word: str, scenes: Iterable[SceneScore]) -> None:
        self.word = word
        self.scenes = tuple(scenes)

    @property
    def total(self) -> int:
        return round(sum(scene.won for scene in self.scenes))

    @property
    def sentence(self) -> str:
        most = max(self.scenes, key=lambda scene: SCENE_POINTS - scene.won)
        if not most.worst:
            return f"{self.total} of 1000 points; next to nothing was lost."
        lost = SCENE_POINTS - most.won
        return f"{self.total} of 1000 points; most were lost in the {most.title}: {lost:.0f}."

    def figure(self) -> Any:
        """Points won and lost, scene by scene."""
        return score_figure(self.sentence, self.scenes)

    def rows(self) -> list[tuple[str, str, str]]:
        return [
            (scene.title, f"{scene.won:.0f} of {SCENE_POINTS}", scene.worst)
            for scene in self.scenes
        ]

    def __str__(self) -> str:
        rows = [
            f"  {title:14} {points:>10}   {why and f'lost: {why}'}".rstrip()
            for title, points, why in self.rows()
        ]
        return "\n".join([f"{self.sentence} (word: {self.word})", *rows])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        body = "".join(
            "<tr>" + "".join(f"<td style='text-align:left'>{escape(c)}</td>" for c in row) + "</tr>"
            for row in self.rows()
        )
        return (
            f"<div style='font:17px {FONT}'><b>{escape(self.sentence)}</b>"
            "<table style='font-size:16px'><tr><th style='text-align:left'>scene</th>"
            "<th style='text-align:left'>points</th>"
            f"<th style='text-align:left'>most lost by</th></tr>{body}</table></div>"
        )
