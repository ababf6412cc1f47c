"""Knobs that turn by themselves while a load runs: the payment fails, and comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bpdemo.plan.plan import require_range

Change = tuple[float, Mapping[str, Any]]
"""When, in seconds from the start of a load, and which knobs with their new values."""

#: A payment this slow answers nobody any more.
HANGS_S: Final = 60.0


def require_changes(changes: Sequence[Change], seconds: float) -> list[Change]:
    """The changes in order of time; ValueError for one that lies outside the load."""
    for at_s, _ in changes:
        require_range("changes", at_s, 0, seconds)
    return sorted(changes, key=lambda change: change[0])


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
