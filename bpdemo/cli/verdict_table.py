"""What became of the requests of a run: a table, a sentence, and whether it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table

from bpdemo.load.run import LoadRun
from bpdemo.picture.palette import FATE_COLOURS
from bpdemo.plan.fates import FAILED, FATES, NO_CONNECTION, WORDS
from bpdemo.results.sentence import OF_POSSIBLE, percent, told_share
from bpdemo.results.told_latency import told_latency
from bpdemo.results.validity import causes_of, sentence_for

#: Said below the sentence of a load that rises and falls.
POSSIBLE: Final = "What was possible: in each second, the lesser of the load and the capacity."


VOID: Final = "NOT MEASURED. "


def show_verdict(run: LoadRun, console: Console, more: Sequence[tuple[str, str]] = ()) -> None:
    """What became of the requests, in numbers and in a sentence, and whether it counts."""
    table = _empty_table()
    _add_orders(table, run)
    _add_service(table, run)
    for name, value in more:
        table.add_row(name, "", "", value)
    console.print()
    if causes := causes_of(run.records, run.meta):  # before any figure, which would be believed
        told = f"{VOID}{sentence_for(run.meta)} ({'; '.join(causes)})"
        console.print(f"{told}\n", style="bold", markup=False)
    console.print(table)
    console.print(f"\n{run.sentence}", markup=False)
    if OF_POSSIBLE in run.sentence:
        console.print(POSSIBLE, markup=False)


def _empty_table() -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("")
    for head in ("requests", "per s", "share"):
        table.add_column(head, justify="right")
    return table


def _add_orders(table: Table, run: LoadRun) -> None:
    """How many were offered, and what became of them."""
    orders = len(run.records)
    table.add_row("offered", f"{orders:,}", f"{run.summary['offered_per_s']:,.1f}", "100%")
    if (attempts := int(run.records.attempts.sum())) > orders:
        per_s = f"{attempts / run.meta.seconds:,.1f}"
        table.add_row("  attempts", f"{attempts:,}", per_s, f"{attempts / orders:.2f} each")
    for code, fate in enumerate(FATES):
        count = int((run.records.fate == code).sum())
        per_s, share = f"{count / run.meta.seconds:,.1f}", percent(count / max(orders, 1))
        table.add_row(WORDS[fate], f"{count:,}", per_s, share, style=f"bold {FATE_COLOURS[fate]}")
    if failed := Counter(run.records.status[run.records.fate == FAILED].tolist()):
        (status, count), *_ = failed.most_common(1)
        told = "no connection" if status == NO_CONNECTION else f"status {status}"
        table.add_row("  most often by", f"{count:,}", "", told)


def _add_service(table: Table, run: LoadRun) -> None:
    """The goodput as a share of the same whole as in the sentence, and how long answers took."""
    summary = run.summary
    if run.meta.capacity_per_s:
        measure = told_share(summary, run.meta)[1]
        is_shaped = measure == OF_POSSIBLE
        share = summary["goodput_of_possible" if is_shaped else "goodput_share"]
        # What waits when a short run begins or ends can carry it past the full share.
        told = f"goodput {percent(min(1.0, share))} {OF_POSSIBLE if is_shaped else 'of it'}"
        table.add_row("capacity", "", f"{summary['capacity_per_s']:,.1f}", told)
    for name in ("p50_ms", "p95_ms", "p99_ms"):
        latency = told_latency(summary[name], run.meta.client_timeout_s)
        if not summary["goodput_per_s"]:
            latency = "-"  # what timed out has no latency
        table.add_row(f"{name[:3]} of served and late", "", "", latency)
