"""`animate`: the single requests of a simulated run, on their way through the service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Unpack

import anywidget
import traitlets

from bpdemo.core.ranges import require_text
from bpdemo.core.settings import Settings
from bpdemo.picture.moment import still
from bpdemo.plan.arguments import LoadArguments, takes_load
from bpdemo.sim.animation import SECONDS, Animation, animation

SVG: Final = "image/svg+xml"
SCRIPT: Final = files("bpdemo.picture").joinpath("requests.js").read_text(encoding="utf-8")


@takes_load(seconds=SECONDS)
def animate(
    settings: Settings | Mapping[str, Any] = MappingProxyType({}),
    *,
    name: str = "",
    **arguments: Unpack[LoadArguments],
) -> AnimatedRequests:
    """Each request of a short run in virtual time, ten times slower: it arrives, waits, is worked
    on, and is served, late, shed or failed.

    The arguments are those of `simulate`; only the first 3,000 attempts are shown. Nothing moves
    before Play is pressed. Where no script runs, one moment of it is shown as a still picture.
    """
    require_text("name", name)
    return AnimatedRequests(animation(settings, **arguments), name)


class AnimatedRequests(anywidget.AnyWidget):
    """Displayed in a notebook, the animation. `told` is its outcome in words."""

    _esm = SCRIPT
    data = traitlets.Unicode("{}").tag(sync=True)
    name = traitlets.Unicode("").tag(sync=True)

    def __init__(self, shown: Animation, name: str = "") -> None:
        super().__init__(data=json.dumps(shown, separators=(",", ":"), allow_nan=False), name=name)
        self.told: str = shown["told"]
        self._still = still(shown)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        shown = bundle[0] if isinstance(bundle, tuple) else {}
        return {**shown, SVG: self._still, "text/plain": self.told}
