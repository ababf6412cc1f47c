"""A score: up to 250 points for each of four scenes, and where the others went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import numpy as np

from bpdemo.lab.challenge_scenes import Scene
from bpdemo.lab.fates import FAILED, LATE, OK
from bpdemo.lab.palette import FONT
from bpdemo.lab.run import LoadRun

SCENE_POINTS: Final = 250
WORDS: Final = {
    "won": "won",
    "late": "sold too late",
    "failed": "broken",
    "shed": "turned away in vain",
}


@dataclass(frozen=True, slots=True)
class SceneScore:
    """Points won, and those lost by how: they add up to 250."""

    title: str
    won: float
    late: float
    failed: float
    shed: float

    @classmethod
    def of(cls, scene: Scene, run: LoadRun) -> SceneScore:
        """Sold in time of what was possible. What is missing went to waste on orders too late,
        then on broken ones; the rest was turned away while there would have been time."""
        possible = scene.possible(run)
        counts = np.bincount(run.records.fate, minlength=4)
        lost = max(0.0, possible - counts[OK])
        late = min(lost, float(counts[LATE]))
        failed = min(lost - late, float(counts[FAILED]))
        each = SCENE_POINTS / possible
        parts = (possible - lost, late, failed, lost - late - failed)
        return cls(scene.title, *(float(part * each) for part in parts))

    @property
    def worst(self) -> str:
        """How most of the lost points were lost, in words; empty if next to none were."""
        losses = {"late": self.late, "failed": self.failed, "shed": self.shed}
        worst = max(losses, key=lambda how: losses[how])
        return WORDS[worst] if losses[worst] >= 1 else ""


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
        from bpdemo.lab.challenge_figure import score_figure

        return score_figure(self)

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
