"""The verdict of the demo: what was measured at both services, in numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from bpdemo.cli.demo.outcome import SpikeOutcome
from bpdemo.cli.demo.spike import PEAK
from bpdemo.core.choices import PROFILES
from bpdemo.plan.fates import OK, SHED
from bpdemo.results.sentence import percent
from bpdemo.results.validity import SENTENCE, causes_of

Numbers = list[tuple[str, str, str]]


def numbers(*outcomes: SpikeOutcome) -> Numbers:
    """The rows of the verdict: what is measured, and the figure of each service."""
    table: dict[str, Iterable[str]] = {
        "orders offered": (f"{len(o.run.records):,}" for o in outcomes),
        "served": (f"{o.count(OK):,}" for o in outcomes),
        "goodput in the spike, of capacity": (percent(o.spike_share) for o in outcomes),
        "goodput in all, of what was possible": (percent(o.possible_share) for o in outcomes),
        "p99 in the spike, of those admitted": (o.spike_p99 for o in outcomes),
        "back to normal after the spike": (_recovery_in_short(o) for o in outcomes),
        "shed": (f"{o.count(SHED):,}" for o in outcomes),
        "charged, but not answered in time": (f"{o.charged_in_vain:,}" for o in outcomes),
        "still in the queue at the end": (f"{o.queued_at_end:,}" for o in outcomes),
    }
    return [(name, *cells) for name, cells in table.items()]  # type: ignore[misc]


def _recovery_in_short(outcome: SpikeOutcome) -> str:
    if outcome.recovered_s is None:
        return f"not within {outcome.watched_s:.1f} s"
    return f"in {outcome.recovered_s:.2f} s" if outcome.recovered_s else "at once"


def sentences(naive: SpikeOutcome, safe: SpikeOutcome) -> list[str]:
    """The verdict in sentences; each says what was measured, whichever way it went."""
    more = safe.count(OK) / naive.count(OK) if naive.count(OK) else math.inf
    ratio = f", {more:.1f} times as many" if math.isfinite(more) else ""
    told = [
        f"In the spike, at {PEAK:g}× capacity, the goodput of the unprotected service was "
        f"{percent(naive.spike_share)} of its capacity, that of the protected one "
        f"{percent(safe.spike_share)}.",
        f"Over the whole load, before and after the spike too, it was "
        f"{percent(naive.possible_share)} of what was possible unprotected, and "
        f"{percent(safe.possible_share)} protected.",
        f"Orders served in all: {naive.count(OK):,} unprotected, "
        f"{safe.count(OK):,} protected{ratio}.",
    ]
    if shed := safe.count(SHED):
        told.append(
            f"The protected one shed {shed:,} at once and told each caller when to come back; "
            f"the p99 of those it admitted during the spike was {safe.spike_p99}."
        )
    for outcome in (naive, safe):
        told.append(f"The {outcome.run.meta.name} one {_recovery_in_words(outcome)}.")
    if naive.charged_in_vain:
        told.append(
            f"Meanwhile the unprotected one charged {naive.charged_in_vain:,} customers "
            f"whose answer was late; the protected one {safe.charged_in_vain:,}."
        )
    return told


def _recovery_in_words(outcome: SpikeOutcome) -> str:
    if outcome.recovered_s is None:
        return (
            f"was still down {outcome.watched_s:.1f} s after the spike, with "
            f"{outcome.queued_at_end:,} orders in its queue: {outcome.work_left_s:.0f} s of work"
        )
    if not outcome.recovered_s:
        return "was back to normal as soon as the spike was over"
    return f"was back to normal {outcome.recovered_s:.2f} s after the spike"


def warnings(*outcomes: SpikeOutcome) -> list[str]:
    """A sentence for each run that proves nothing."""
    return [
        f"{o.run.meta.name}: {SENTENCE} ({'; '.join(causes)})"
        for o in outcomes
        if (causes := causes_of(o.run.records, o.run.meta))
    ]


def show(naive: SpikeOutcome, safe: SpikeOutcome, console: Console) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("The verdict")
    for name in PROFILES:
        table.add_column(name, justify="right")
    for row in numbers(naive, safe):
        table.add_row(*row)
    console.print()
    console.print(table)
    console.print()
    for words in sentences(naive, safe):
        console.print(f"- {words}", markup=False)
    for warning in warnings(naive, safe):
        console.print(f"\n{warning}", style="bold", markup=False)
