"""What a soak has shown, as a table and as a file."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.faults.soak.soak import TIMES, Record

#: The memory of a process grows until its caches and arenas are as large as they get.
WARM_UP_S = 120.0
#: A slope over less time than this is noise.
JUDGED_S = 120.0
MOST_SLOPE_MB_PER_MIN = 1.0
#: In a log file, too.
WIDTH = 100
#: Of what is sold at the start, before any storm.
LEAST_SHARE, LEAST_MEAN_SHARE = 0.7, 0.9


@dataclass(frozen=True)
class Line:
    """`ok` None: there was too little to judge by."""

    what: str
    seen: str
    wanted: str
    ok: bool | None


def judge(record: Record) -> list[Line]:
    """Everything that is promised, and whether it held."""
    return [*_orders(record), *_money(record), _memory(record), *_held(record), *_goodput(record)]


def figures(record: Record) -> dict[str, Any]:
    """What goes into the file."""
    return {
        "seconds": record.seconds,
        "seed": record.seed,
        "offered_per_s": record.offered_per_s,
        "times_capacity": TIMES,
        "answers": record.statuses,
        "memory_slope_mb_per_min": slope_mb_per_min(record),
        "before": record.before,
        "after": record.after,
        "stats": record.stats,
        "storms": record.storms,
        "calm_windows": [calm._asdict() for calm in record.calms],
        "samples": record.samples,
        "verdict": [asdict(line) for line in judge(record)],
    }


def write(record: Record, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures(record), indent=1), encoding="utf-8")


def show(record: Record) -> None:
    table = Table(title=f"{record.seconds:.0f} s at {TIMES} times capacity, seed {record.seed}")
    for column in ("", "seen", "wanted", ""):
        table.add_column(column)
    for line in judge(record):
        mark = {True: "[green]held", False: "[red]BROKEN", None: "too short to judge"}[line.ok]
        table.add_row(line.what, line.seen, line.wanted, mark)
    Console(width=WIDTH).print(table)


def slope_mb_per_min(record: Record) -> float | None:
    """By least squares, after the warm-up; None if the soak was too short for that."""
    after = [sample for sample in record.samples if sample.at_s >= WARM_UP_S]
    if not after or after[-1].at_s - after[0].at_s < JUDGED_S:
        return None
    slope_per_s, _ = np.polyfit([s.at_s for s in after], [s.rss_mb for s in after], 1)
    return float(slope_per_s * 60)


def _orders(record: Record) -> list[Line]:
    stored = Counter(order for order, _ in record.stored)
    keys = Counter(key for _, key in record.stored)
    promised = record.acknowledged + record.replayed
    lost = sum(order not in stored for order in promised)
    twice = len(record.acknowledged) - len(set(record.acknowledged))
    doubled = twice + sum(n - 1 for n in stored.values()) + sum(n - 1 for n in keys.values())
    books = record.stats["books"]
    inside = sum(books[name] for name in ("waiting", "queued", "running"))
    ends = ("success", "failure", "expired", "abandoned", "shed", "queued", "running")
    exact = (
        books["received"] == books["waiting"] + books["rejected"] + books["admitted"]
        and books["admitted"] == sum(books[name] for name in ends)
        and inside == 0
    )
    return [
        Line("orders acknowledged", f"{len(record.acknowledged):,}", "some", bool(promised)),
        Line("lost", f"{lost}", "0", lost == 0),
        Line("doubled", f"{doubled}", "0", doubled == 0),
        Line("books", "exact" if exact else f"{books}", "exact, nobody inside", exact),
        Line("storms", f"{sum(kind not in ('recovery', 'calm') for _, kind in record.storms)}",
             "some", bool(record.storms)),
    ]  # fmt: skip


def _money(record: Record) -> list[Line]:
    paid, stored = record.stats["payments"], len(record.stored)
    kept = paid["charged"] - paid["refunded"]
    told = f"{paid['charged']:,} − {paid['refunded']:,} = {kept:,}"
    return [Line("charged − refunded", told, f"{stored:,} stored", kept == stored)]


def _memory(record: Record) -> Line:
    slope = slope_mb_per_min(record)
    told = "" if slope is None else f"{slope:+.3f} MB a minute"
    ok = None if slope is None else slope < MOST_SLOPE_MB_PER_MIN
    return Line("memory after warm-up", told, f"below {MOST_SLOPE_MB_PER_MIN:g} MB a minute", ok)


def _held(record: Record) -> list[Line]:
    lines = [
        Line(name, f"{record.after[name]}", f"at most {before}, as before",
             record.after[name] <= before)
        for name, before in record.before.items()
    ]  # fmt: skip
    left = record.left_behind
    return [*lines, Line("processes left", f"{left or 'none'}", "none", not left)]


def _goodput(record: Record) -> list[Line]:
    reference, *calms = record.calms
    shares = [calm.sold_per_s / reference.sold_per_s for calm in calms]
    if not shares:
        return [Line("goodput in calm windows", "", "", None)]
    worst = min(range(len(shares)), key=shares.__getitem__)
    return [
        Line("goodput at the start", f"{reference.sold_per_s:.0f} a second", "", True),
        Line(f"mean of {len(shares)} calm windows", f"{np.mean(shares):.1%} of it",
             f"at least {LEAST_MEAN_SHARE:.0%}", bool(np.mean(shares) >= LEAST_MEAN_SHARE)),
        Line(f"worst of them, after '{calms[worst].after}'", f"{shares[worst]:.1%} of it",
             f"at least {LEAST_SHARE:.0%}", shares[worst] >= LEAST_SHARE),
    ]  # fmt: skip
