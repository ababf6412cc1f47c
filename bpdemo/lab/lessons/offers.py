"""What a load offered before a change and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bpdemo.core.slips import forgiving

if TYPE_CHECKING:
    from bpdemo.results.run import Run

#: Orders under way at the change still had the old service.
SETTLE_S: Final = 1.0


@forgiving
def offered_around(run: Run, at_s: float) -> tuple[float, float]:
    """Orders offered per second up to `at_s`, and from a second after it to the end."""
    before = run.between(0, at_s)
    after = run.between(at_s + SETTLE_S, run.meta.seconds)
    return before["offered_per_s"], after["offered_per_s"]
