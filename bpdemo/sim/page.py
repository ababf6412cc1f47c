"""The playground's side of the conversation: an experiment in, pictures and figures out.

A page asks with `Page.begin` and hears what came of it piece by piece from `Page.step`; both speak
JSON, since between Python and a browser nothing else keeps its meaning. What is played is the
service's own code, by `play.py`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from bpdemo.core.settings import Settings
from bpdemo.picture.sheet import DOUBLE, LABELS_PX, PAGE, Drawn, Format, one, two
from bpdemo.picture.shown import Shown
from bpdemo.plan.plan import require_range, require_whole
from bpdemo.sim.animation import SECONDS, animation
from bpdemo.sim.play import Play, prepare
from bpdemo.sim.shown import shown
from bpdemo.sim.virtual_time import Steps

NAMES: Final = ("A", "B")
#: A page that was given a link must not be kept busy for ever by it.
SECONDS_MAX: Final = 120.0
ORDERS_MAX: Final = 200_000
USERS_MAX: Final = 100

COLUMNS: Final = {
    "t_s": "from, s",
    "offered_per_s": "offered, per s",
    "ok_per_s": "served, per s",
    "late_per_s": "late, per s",
    "failed_per_s": "failed, per s",
    "shed_per_s": "shed, per s",
    "p50_ms": "p50, ms",
    "p99_ms": "p99, ms",
    "queue_depth": "in queue",
    "workers_busy": "busy workers",
}
"""The table that says the same as the picture: a column of the frame, and its heading."""

NARROW_PX: Final = 700
"""Below this, two runs stand one below the other, and the names of lines have less room."""


class Page:
    """One experiment at a time; the next one puts an end to it."""

    def __init__(self) -> None:
        self._arms: list[_Arm] = []
        self._width_px = PAGE.width_px

    def begin(self, asked: str) -> None:
        """Prepare `{"arms": [settings, …], "load": arguments, "width_px": number}`, one arm or two.

        An arm holds the settings that differ from those of the protected service or, where it has
        `"unprotected": true`, from the naive one; its `"load"` is what its own callers do
        otherwise. A `rate` takes the place of `times`. ValueError, in a sentence, for what cannot
        be played.
        """
        self.end()
        wanted = json.loads(asked)
        arms, load = wanted["arms"], dict(wanted["load"])
        if not 1 <= len(arms) <= len(NAMES):
            raise ValueError(f"arms: one or two services, not {len(arms)}")
        require_range("seconds", load.get("seconds", 30.0), 1, SECONDS_MAX)
        self._width_px = require_whole("width_px", wanted.get("width_px", PAGE.width_px), 300)
        named = NAMES if len(arms) > 1 else ("simulated",)
        self._arms = [
            _Arm(_without_load(arm), _load(load, arm), name)
            for arm, name in zip(arms, named, strict=False)
        ]

    def step(self, by_s: float) -> str:
        """Play `by_s` more virtual seconds: the JSON of `done`, `played_s`, `seconds`, `figures`,
        `sentences`, `table`, `summaries`, `orders`, and `prints` once it is done. ValueError, and
        an end, where it turns out to be more than a page can play."""
        try:
            for arm in self._arms:
                arm.advance(by_s)
        except ValueError:
            self.end()
            raise
        done = all(arm.steps.done for arm in self._arms)
        seconds = self._arms[0].play.plan.seconds
        runs = [shown(arm.play, arm.settled_s) for arm in self._arms]
        told: dict[str, Any] = {
            "done": done,
            "played_s": min(arm.settled_s for arm in self._arms),
            "seconds": seconds,
            "figures": self._figures(runs, seconds),
            "sentences": [run.sentence for run in runs],
            "tables": [table(run) for run in runs],
            "summaries": [run.summary for run in runs],
            "orders": [len(arm.play.orders) for arm in self._arms],
            "prints": [fingerprint(arm.play) for arm in self._arms] if done else [],
        }
        return json.dumps(_sendable(told), allow_nan=False)

    def requests(self, asked: str) -> str:
        """The same experiment, request by request: the JSON of an animation for each arm, of the
        first seconds. What is being played goes on. ValueError as `begin`."""
        wanted = json.loads(asked)
        told = [
            animation(
                _settings(_without_load(arm)), until_s=SECONDS, **_load(dict(wanted["load"]), arm)
            )
            for arm in wanted["arms"]
        ]
        return json.dumps(_sendable(told), allow_nan=False)

    def end(self) -> None:
        """Give up what is being played; nothing if nothing is."""
        for arm in self._arms:
            arm.steps.close()
        self._arms = []

    def _figures(self, runs: Sequence[Shown], seconds: float) -> list[Drawn]:
        width_px = self._width_px
        if len(runs) == len(NAMES) and width_px >= NARROW_PX:
            wide = replace(DOUBLE, width_px=min(width_px, DOUBLE.width_px))
            a, b = runs
            return [two(a, b, form=wide, span_s=seconds)]
        labels_px = LABELS_PX if width_px >= NARROW_PX else LABELS_PX * 2 // 3
        form = Format(width_px=min(width_px, PAGE.width_px), labels_px=labels_px)
        return [one(run, form=form, span_s=seconds) for run in runs]


class _Arm:
    """A service under the load, and how far its run has come."""

    def __init__(self, settings: Mapping[str, Any], load: Mapping[str, Any], name: str) -> None:
        self.play = prepare(_settings(settings), name=name, **load)
        plan = self.play.plan
        if plan.scenario == "closed":  # users, who may send as soon as they are rejected
            require_range("rate", plan.rate_per_s, 1, USERS_MAX)
        self._require_few(plan.rate_per_s * plan.seconds)
        self.steps = Steps(self.play.run())

    def advance(self, by_s: float) -> None:
        if not self.steps.done:
            self.steps.advance(by_s)
            self._require_few(len(self.play.orders))

    @staticmethod
    def _require_few(orders: float) -> None:
        if orders > ORDERS_MAX:
            raise ValueError(
                f"up to {orders:,.0f} requests are too many for a page (at most {ORDERS_MAX:,}): "
                "choose fewer seconds, less load or fewer workers"
            )

    @property
    def settled_s(self) -> float:
        """Up to where it is known what became of requests; of a run that is over, all of it."""
        plan = self.play.plan
        if self.steps.done:
            return plan.seconds
        return min(plan.seconds, max(self.play.bin_s, self.steps.now_s - plan.client_timeout_s))


def table(run: Shown) -> list[list[float]]:
    """The picture in figures, a row a bin: the columns of `COLUMNS`, in their order."""
    return [list(row) for row in zip(*(run.columns[name] for name in COLUMNS), strict=True)]


def fingerprint(played: Play) -> str:
    """Sixteen digits that two runs share only if all their orders, attempts and looks are equal."""
    history = repr((played.orders, played.attempts_s, played.samples))
    return sha256(history.encode()).hexdigest()[:16]


def _without_load(arm: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arm.items() if name != "load"}


def _load(common: Mapping[str, Any], arm: Mapping[str, Any]) -> dict[str, Any]:
    own = arm.get("load", {})
    if not isinstance(own, Mapping):
        raise ValueError(f"load: what is asked of a load, by its names, not {own!r}")
    if "seconds" in own:
        raise ValueError("seconds: both services are played for the same time")
    load = {**common, **own}
    if load.get("rate") is not None:
        load["times"] = None
    return load


def _settings(asked: Mapping[str, Any]) -> Settings:
    knobs = dict(asked)
    return Settings.unprotected(**knobs) if knobs.pop("unprotected", False) else Settings(**knobs)


def _sendable(told: Any) -> Any:
    """What is no number has no word in JSON: null."""
    if isinstance(told, float):
        return told if math.isfinite(told) else None
    if isinstance(told, Mapping):
        return {key: _sendable(value) for key, value in told.items()}
    return [_sendable(value) for value in told] if isinstance(told, list | tuple) else told
