"""A running load as rows, one per bin: what `bpdemo load` and `bpdemo simulate` show."""

from __future__ import annotations

import math
from types import TracebackType
from typing import Any, Final, Self

import pandas as pd
from rich.console import Console
from rich.live import Live
from rich.table import Table

from bpdemo.load.run import LoadRun
from bpdemo.picture.palette import FATE_COLOURS
from bpdemo.plan.fates import FATES, WORDS
from bpdemo.results.told_latency import timed_out, told_ms

ROWS_SHOWN: Final = 12

#: Header of each column (in two lines where it is long), the column of the frame, its width.
COLUMNS: Final = (
    ("time\ns", "t_s", 6),
    ("offered\nper s", "offered_per_s", 8),
    *((f"{WORDS[fate]}\nper s", f"{fate}_per_s", len(WORDS[fate]) + 1) for fate in FATES),
    ("p50\nms", "p50_ms", 6),
    ("p99\nms", "p99_ms", 6),
    ("in\nqueue", "queue_depth", 7),
    ("busy\nworkers", "workers_busy", 8),
)


class Rows:
    """A row per bin: on a terminal a table that shows the latest, else plain lines as they come."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed = 0
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
            self._live.update("Locust is starting …", refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, run: LoadRun | None) -> None:
        if run is None:
            return
        if self._live:
            self._live.update(
                _table(run.frame.tail(ROWS_SHOWN), run.meta.client_timeout_s), refresh=True
            )
            return
        if not self._printed:
            for line in (0, 1):
                heads = (f"{head.split(chr(10))[line]:>{width}}" for head, _, width in COLUMNS)
                self._console.out(*heads, sep=" ")
        for _, row in run.frame.iloc[self._printed :].iterrows():
            cells = _cells(row, run.meta.client_timeout_s)
            told = zip(cells, COLUMNS, strict=True)
            self._console.out(*(f"{cell:>{width}}" for cell, (*_, width) in told), sep=" ")
        self._printed = len(run.frame)


def _table(frame: pd.DataFrame, client_timeout_s: float) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for head, name, width in COLUMNS:
        colour = FATE_COLOURS.get(name.removesuffix("_per_s"))
        style = f"bold {colour}" if colour else ""
        table.add_column(
            head, justify="right", min_width=width - 1, style=style, header_style=style
        )
    for _, row in frame.iterrows():
        table.add_row(*_cells(row, client_timeout_s))
    return table


def _cells(row: pd.Series[Any], client_timeout_s: float) -> list[str]:
    return [_cell(name, float(row[name]), client_timeout_s) for _, name, _ in COLUMNS]


def _cell(name: str, value: float, client_timeout_s: float) -> str:
    if math.isnan(value):
        return "-"
    if name in ("p50_ms", "p99_ms"):
        if timed_out(value, client_timeout_s):
            return f">{client_timeout_s * 1000:,.0f}"  # they hung up, and would have waited longer
        return told_ms(value, client_timeout_s)
    return f"{value:,.1f}" if name in ("t_s", "workers_busy") else f"{value:,.0f}"
