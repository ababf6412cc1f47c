"""The service's knobs as widgets: what they are called, how far they go, what they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bpdemo.core.settings import Settings, describe

#: Wide enough for the longest name, so that all sliders begin at one line.
LABEL_PX: Final = 190
HEIGHT: Final = "32px"


@dataclass(frozen=True, slots=True)
class Knob:
    """A live setting in the cockpit. `per` is how many of the shown unit make one of its own.

    A slider shows the stretch from `low` to `high` that is worth turning, in the shown unit, within
    the range that the setting allows. Without `high` it is a menu of the setting's choices.
    """

    name: str
    label: str
    low: float = 0
    high: float = 0
    step: float = 1
    unit: str = ""
    per: float = 1

    def shown(self, value: Any) -> Any:
        """A value of the setting as the widget has it."""
        return value if not self.high else round(value * self.per)

    def value(self, shown: Any) -> Any:
        """What the widget has, as the setting takes it."""
        return shown if not self.high or self.per == 1 else shown / self.per

    def told(self, before: Any, after: Any) -> str:
        """A turn in words, as it is marked in the picture: "payment 40 → 400 ms"."""
        ends = [self._word(value) for value in (before, after)]
        name = "queue" if self.name == "queue_capacity" else self.label
        return f"{name} {ends[0]} → {ends[1]}{self.unit and ' ' + self.unit}"

    def _word(self, value: Any) -> str:
        if self.name == "queue_capacity" and value < 0:
            return "no limit"
        return str(self.shown(value))


KNOBS: Final = (
    Knob("queue_capacity", "queue size", -1, 100),
    Knob("workers", "workers", 1, 64),
    Knob("payment_failure_rate", "failures", 0, 100, 5, "%", 100),
    Knob("payment_latency_s", "payment", 0, 1000, 10, "ms", 1000),
    Knob("queue_policy", "when it is full"),
    Knob("queue_discipline", "whose turn"),
)
BY_NAME: Final = {knob.name: knob for knob in KNOBS}


def widget_of(knob: Knob, settings: Settings, turned: Callable[[Knob, Any], None]) -> Any:
    """A slider or a menu at the setting's value, its description as a tooltip.

    `turned` is told each new value, in the setting's own unit.
    """
    import ipywidgets as widgets

    about = describe(settings)[knob.name]
    shown = knob.shown(about["value"])
    common = {
        "description": f"{knob.label}{f' ({knob.unit})' if knob.unit else ''}",
        "tooltip": _tooltip(about),
        "style": {"description_width": f"{LABEL_PX}px"},
        "layout": widgets.Layout(width="auto", height=HEIGHT),
    }
    if knob.high:
        # A service may have been started with a value beyond the stretch that is usual.
        low, high = min(knob.low, shown), max(knob.high, shown)
        widget = widgets.IntSlider(value=shown, min=low, max=high, step=knob.step, **common)
    else:
        widget = widgets.Dropdown(value=shown, options=about["choices"], **common)
    widget.observe(lambda change: turned(knob, knob.value(change["new"])), "value")
    return widget


def _tooltip(about: dict[str, Any]) -> str:
    told = str(about["description"])
    if about["minimum"] is not None:
        unit = {"": "", "ratio": ""}.get(about["unit"], f" {about['unit']}")
        told += f" From {about['minimum']:g} to {about['maximum']:g}{unit}."
    return told
