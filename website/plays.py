"""Experiments that a visitor may play: the playground's presets, and their addresses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from bpdemo.sim.controls import controls

PLAYGROUND: Final = Path(__file__).resolve().parents[1] / "playground"


@dataclass(frozen=True, slots=True)
class Play:
    """A preset. `claim`: the claim of a lesson that it shows, where there is one."""

    name: str
    question: str
    lesson: str
    claim: str
    address: str

    @property
    def link(self) -> str:
        """To the playground, from a page of a lesson."""
        return (
            f'<p class="play" id="play-{escape(self.claim)}">'
            f'<a href="../playground/index.html{escape(self.address, quote=True)}">'
            f"Try it in the playground: {escape(self.name)}</a></p>"
        )


def plays() -> list[Play]:
    """All presets, in the order of the menu."""
    return [
        Play(
            preset["name"],
            preset["question"],
            preset.get("lesson", ""),
            preset.get("claim", ""),
            address(preset),
        )
        for preset in presets()
    ]


def presets() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((PLAYGROUND / "presets.json").read_text("utf-8"))
    return found


def elsewhere() -> dict[str, str]:
    """Claims measured in virtual time that the playground cannot show, and why."""
    found: dict[str, str] = json.loads((PLAYGROUND / "elsewhere.json").read_text("utf-8"))
    return found


def address(experiment: Mapping[str, Any]) -> str:
    """What stands behind the page's address, as `playground/address.mjs` writes it."""
    usual = {control["name"]: control["value"] for control in controls()["load"]}
    load = dict(experiment["load"])
    changes = load.pop("changes", [])
    parts = [(name, _told(now)) for name, now in load.items() if usual.get(name) != now]
    for place, arm in enumerate(experiment["arms"]):
        prefix = "b." if place else ""
        settings = dict(arm)
        own = settings.pop("load", {})
        parts += [(prefix + name, _told(now)) for name, now in {**settings, **own}.items()]
    if len(experiment["arms"]) > 1:
        parts.append(("compare", "true"))
    for at_s, knobs in changes:
        parts += [("change", f"{_told(at_s)}:{name}:{_told(now)}") for name, now in knobs.items()]
    return f"#{urlencode(parts)}"


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{_told(weight)}" for name, weight in value.items())
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
