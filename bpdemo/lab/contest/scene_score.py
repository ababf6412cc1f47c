"""What was won of one scene, and how the rest was lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bpdemo.lab.contest.scenes import Scene
from bpdemo.load.run import LoadRun
from bpdemo.plan.fates import FAILED, LATE, OK, WORDS

SCENE_POINTS: Final = 250
PARTS: Final = {
    "won": "won",
    "late": WORDS["late"],
    "failed": WORDS["failed"],
    "shed": f"{WORDS['shed']} in vain",
}
"""Of a scene's points: those won, and how the rest was lost."""


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
        """Served of what was possible. What is missing went to waste on late requests, then on
        failed ones; the rest was shed while there would have been time."""
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
        return PARTS[worst] if losses[worst] >= 1 else ""
