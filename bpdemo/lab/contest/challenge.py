"""`challenge`: bad settings, a load that nobody has seen, and a score."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.members import forgiving_class
from bpdemo.core.settings import Settings
from bpdemo.core.slips import forgiving
from bpdemo.lab.contest.code import code_of, plain_name
from bpdemo.lab.contest.scene_score import SceneScore
from bpdemo.lab.contest.scenes import PAYMENT_S, WORKERS, scenes_of
from bpdemo.lab.contest.score import Score
from bpdemo.lab.contest.word import plain_word
from bpdemo.lab.services.simulation import simulate
from bpdemo.load.progress_line import ProgressText
from bpdemo.picture.palette import FONT

BAD: Final[Mapping[str, Any]] = {
    "queue_capacity": 400,
    "request_timeout_s": 30.0,
    "attempt_timeout_s": 10.0,
    "drop_on_disconnect": False,
    "retry_attempts": 6,
    "retry_base_s": 0.2,
    "retry_cap_s": 2.0,
    "retry_jitter": "none",
    "retry_budget_enabled": False,
    "breaker_failure_ratio": 0.05,
    "breaker_min_calls": 5,
    "breaker_open_s": 20.0,
}
"""What the box office runs with on the eve of the sale. Each has a reason that sounds good."""

YOURS: Final = re.compile(
    r"queue_|codel_|max_in_flight|client_max_in_flight|request_timeout_s|attempt_timeout_s|"
    r"drop_on_disconnect|retry_|breaker_"
)
"""Knobs that may be tuned. Workers and payment are what they are: both cost money."""


def challenge(word: str) -> Challenge:
    """The challenge of that word; the same one for everybody who says it."""
    return Challenge(plain_word(word))


@forgiving_class
class Challenge:
    """Four scenes, and `bad`, the settings to begin with."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.scenes = scenes_of(word)
        self._scores: dict[tuple[tuple[str, Any], ...], Score] = {}

    @property
    def bad(self) -> dict[str, Any]:
        return dict(BAD)

    @property
    def height(self) -> dict[str, float]:
        """The height of its storm, for a real load: times capacity, and the client timeout."""
        storm = self.scenes[0].load
        return {"times": storm["times"], "client_timeout_s": storm["client_timeout_s"]}

    @forgiving
    def score(self, settings: Mapping[str, Any]) -> Score:
        """Up to 1000 points, in virtual time: the same on every machine.

        What `settings` leaves out has its default. Raises `SettingsInvalid` for a knob that is
        not yours to turn, or cannot be turned that far.
        """
        key = tuple(sorted(settings.items()))
        if key not in self._scores:
            made = settings_for(settings)
            self._scores[key] = Score(self.word, self._played(made))
        return self._scores[key]

    def _played(self, settings: Settings) -> list[SceneScore]:
        """Every scene, some seconds in all; a line says which is being played."""
        played = []
        with ProgressText() as progress:
            for place, scene in enumerate(self.scenes, 1):
                progress.show(f"Scene {place} of {len(self.scenes)}: {scene.title}")
                run = simulate(settings, changes=scene.changes, **scene.load)
                played.append(SceneScore.of(scene, run))
        return played

    @forgiving
    def code(self, name: str, settings: Mapping[str, Any]) -> str:
        """The score as a code for the board, under that name."""
        plain_name(name)  # a name that cannot be is told before the seconds of a score
        return code_of(name, self.word, self.score(settings).total)

    def __str__(self) -> str:
        lines = [f"{i}. {scene.title}: {scene.story}" for i, scene in enumerate(self.scenes, 1)]
        return "\n".join([f"The challenge of the word {self.word}:", *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        stories = "".join(
            f"<li style='margin:.3em 0'><b>{escape(scene.title)}</b>: {escape(scene.story)}.</li>"
            for scene in self.scenes
        )
        return (
            f"<div style='font:17px {FONT};line-height:1.4'>The challenge of the word "
            f"<b>{escape(self.word)}</b>:<ol>{stories}</ol></div>"
        )


def settings_for(knobs: Mapping[str, Any]) -> Settings:
    """The whole settings: everything else at its default, whatever the environment says."""
    for name in knobs:
        if name in Settings.model_fields and not YOURS.match(name):
            raise SettingsInvalid(
                name, "is not yours to tune: machines and payment stay as they are"
            )
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    fixed = {"workers": WORKERS, "payment_latency_s": PAYMENT_S}
    return Settings(**(defaults | fixed)).changed(knobs)
