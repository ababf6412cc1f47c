"""What the demo shows on a terminal while a load runs: a clock and a bar of the last second.

The bar holds no past: one that remembers the calm would hide the collapse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Group
from rich.text import Text

from bpdemo.load.driver import LoadProgress
from bpdemo.picture.palette import FATE_COLOURS, INK_ON
from bpdemo.plan.fates import FATES, WORDS

MARKS: Final = {"ok": "=", "late": "/", "shed": ".", "failed": "x"}
"""What fills the live bar: a second cue beside the colour, in plain ASCII."""

BAR_WIDTH: Final = 50


def scene(recent: Sequence[LoadProgress], depth: int) -> Group:
    latest = recent[-1]
    progress = min(1.0, latest.t_s / latest.seconds)
    phase = ("calm", "the spike", "after it")[min(2, int(3 * progress))]
    shares = shares_of(recent)
    bar = Text("  ")
    for fate, width in zip(FATES, widths(list(shares.values())), strict=True):
        bar.append(MARKS[fate] * width, style=f"{INK_ON[fate]} on {FATE_COLOURS[fate]}")
    done = int(progress * BAR_WIDTH)
    clock = Text(f"  {'-' * done}{' ' * (BAR_WIDTH - done)} ")
    clock.append(f"{min(latest.t_s, latest.seconds):.1f} of {latest.seconds:g} s, {phase}")
    words = Text("  ").append_text(chips(shares)).append(f"  queue {depth:,}")
    return Group(clock, bar, words)


def shares_of(recent: Sequence[LoadProgress]) -> dict[str, float]:
    """What became of the orders that ended in the last second."""
    first, last = (recent[0], recent[-1]) if len(recent) > 1 else (None, recent[-1])
    counts = [getattr(last, fate) - (getattr(first, fate) if first else 0) for fate in FATES]
    total = sum(counts)
    return {fate: n / total if total else 0.0 for fate, n in zip(FATES, counts, strict=True)}


def widths(shares: Sequence[float]) -> list[int]:
    """Whole characters that add up to the bar, when there is anything to show."""
    edges = [round(sum(shares[: n + 1]) * BAR_WIDTH) for n in range(len(shares))]
    return [edge - before for before, edge in zip([0, *edges], edges, strict=False)]


def chips(shares: dict[str, float]) -> Text:
    """The four words in their colours, with their shares if there are any."""
    row = Text()
    for fate, word in WORDS.items():
        share = f" {shares[fate]:4.0%}" if fate in shares else ""
        row.append(f" {word}{share} ", style=f"{INK_ON[fate]} on {FATE_COLOURS[fate]}")
        row.append(" ")
    row.right_crop(1)
    return row
