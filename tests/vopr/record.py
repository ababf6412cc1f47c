"""The page that says what was simulated, and what was lost: written by a run, never by hand."""

import platform
from datetime import UTC, datetime
from pathlib import Path

from tests.vopr.plants import PLANTS
from tests.vopr.swarm import Sum

PAGE = Path(__file__).parent / "RESULTS.md"
HOURS_A_YEAR = 24 * 365


def write(total: Sum, page: Path = PAGE) -> None:
    page.write_text(render(total, datetime.now(UTC)))


def render(total: Sum, today: datetime) -> str:
    last = total.first_seed + total.seeds - 1
    years = total.hours / HOURS_A_YEAR
    return "\n".join(
        [
            "# What the swarm has simulated",
            "",
            'Written by `make vopr ARGS="… --record"`; [README.md](README.md) says how it works.',
            "",
            f"On {today:%d %B %Y}, seeds {total.first_seed:,} to {last:,}, Python "
            f"{platform.python_version()}, in {total.wall_s / 60:,.0f} minutes:",
            "",
            "| | |",
            "|---|---|",
            f"| worlds | {total.seeds:,} |",
            f"| simulated | {total.hours:,.0f} hours ({years:.2f} years) of one service |",
            f"| customers | {total.customers:,} |",
            f"| orders stored | {total.orders:,} |",
            f"| worlds that were seen to sell again at full speed | {total.recovered:,} |",
            f"| worlds that were played twice, to see the same history | {total.twice:,} |",
            f"| **worlds in which something was lost, or any other rule broken** | "
            f"**{total.failed_seeds or 'none'}** |",
            "",
            *_failures(total),
            "## What went wrong in them",
            "",
            "| fault | times |",
            "|---|---|",
            *(f"| {kind} | {times:,} |" for kind, times in total.faults.most_common()),
            "",
            "## What the customers were told",
            "",
            "| answer | customers |",
            "|---|---|",
            *(f"| {answer} | {times:,} |" for answer, times in total.told.most_common()),
            "",
            f"`make vopr ARGS=--planted` plants {len(PLANTS)} faults in the service, one at a "
            "time, and tells which seed finds each.",
            "",
        ]
    )


def _failures(total: Sum) -> list[str]:
    if not total.failures:
        return []
    rows = [
        f"| {kind} | {len(seeds):,} | {', '.join(map(str, seeds[:5]))} |"
        for kind, seeds in total.failures.items()
    ]
    return ["| what was wrong | worlds | seeds such as |", "|---|---|---|", *rows, ""]
