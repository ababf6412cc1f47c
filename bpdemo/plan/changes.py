"""Knobs that turn by themselves while a load runs: the payment fails, and comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bpdemo.core.settings import Settings
from bpdemo.plan.plan import require_range

Change = tuple[float, Mapping[str, Any]]
"""When, in seconds from the start of a load, and which knobs with their new values."""

#: A payment this slow answers nobody any more.
HANGS_S: Final = 60.0


def require_changes(changes: Sequence[Change], seconds: float) -> list[Change]:
    """The changes in order of time; ValueError for one that lies outside the load, or is none."""
    if not isinstance(changes, Iterable):
        raise _no_change(changes)
    checked = []
    for change in changes:
        match change:
            case (at_s, Mapping() as knobs):
                checked.append((require_range("changes: each time", at_s, 0, seconds), knobs))
            case _:
                raise _no_change(change)
    return sorted(checked, key=lambda change: change[0])


def settings_after(settings: Settings, changes: Iterable[Change]) -> list[tuple[float, Settings]]:
    """What the settings are from each change on. Raises `SettingsInvalid` for what cannot turn.

    Asked before a load begins: in the middle of it nobody would hear of a knob that does not exist.
    """
    found = []
    for at_s, knobs in changes:
        settings = settings.changed(knobs)
        found.append((at_s, settings))
    return found


def _no_change(change: object) -> ValueError:
    return ValueError(
        "changes must be pairs of a time in seconds and a mapping of knobs, such as "
        f'(4, {{"payment_latency_s": 0.16}}), not {change!r}'
    )


def told(knobs: Mapping[str, Any]) -> str:
    """What a turn of these knobs is called in the picture."""
    return ", ".join(_told(name, value) for name, value in knobs.items())


def _told(name: str, value: Any) -> str:
    match name:
        case "payment_latency_s" if value >= HANGS_S:
            return "payment hangs"
        case "payment_latency_s":
            return f"payment takes {value * 1000:.0f} ms"
        case "payment_outage":
            return "payment down" if value else "payment back"
        case _:
            return f"{name} {value}"
