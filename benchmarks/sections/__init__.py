"""The sections of the benchmark: each measures one claim, and can run alone."""

from collections.abc import Iterable

SECTIONS = (
    "goodput", "refusals", "protection", "parts", "growth", "queue_lab", "workshop", "learner",
    "agreement", "conformance", "limits", "limits_reach",
    "limits_protected", "limits_live", "map",
)  # fmt: skip


def complaint(names: Iterable[str]) -> str | None:
    """What to say of names that are no sections; None if all are."""
    if unknown := sorted(set(names) - set(SECTIONS)):
        return f"no such section: {', '.join(unknown)}; there are {', '.join(SECTIONS)}"
    return None
