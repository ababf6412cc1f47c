"""`bpdemo load` and `bpdemo simulate`: rows while it runs, a verdict, and the numbers as JSON."""

from __future__ import annotations

import io
import json
import math
import time
from collections.abc import Mapping
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

import httpx
import pandas as pd
from rich.console import Console
from rich.live import Live
from rich.table import Table

from bpdemo.core.settings import Settings
from bpdemo.lab.driver import Driver
from bpdemo.lab.fates import FATES, WORDS
from bpdemo.lab.palette import FATE_COLOURS
from bpdemo.lab.plan import Plan
from bpdemo.lab.records import Meta
from bpdemo.lab.run import LoadRun
from bpdemo.lab.summary import percent
from bpdemo.lab.verdict import SENTENCE, causes_of

if TYPE_CHECKING:
    from bpdemo.lab.calibration import Calibration

ROWS_SHOWN: Final = 12
LOOK_EVERY_S: Final = 0.5
ANSWER_WITHIN_S: Final = 5.0

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


def run_load(
    url: str,
    scenario: str,
    rate: float,
    seconds: float,
    processes: int,
    seed: int,
    json_file: Path | None,
) -> None:
    """Drive a load, show it, tell what came of it. ValueError for what the user got wrong."""
    plan = Plan(rate_per_s=rate, seconds=seconds, scenario=scenario, seed=seed)
    require_folder_of(json_file)
    told = ask_service(url)
    console = make_console()
    run = _drive(told, plan, processes, console)
    show_verdict(run, console)
    if json_file:
        write_json(run, json_file)


def run_simulation(
    knobs: Mapping[str, Any],
    unprotected: bool,
    scenario: str,
    rate: float,
    seconds: float,
    seed: int,
    json_file: Path | None,
) -> None:
    """The same under virtual time. ValueError or `SettingsInvalid` for what the user got wrong."""
    from bpdemo.lab.simulation import simulate

    Plan(rate_per_s=rate, seconds=seconds, scenario=scenario, seed=seed)
    require_folder_of(json_file)
    settings = Settings.unprotected(**knobs) if unprotected else Settings(**knobs)
    started_s = time.perf_counter()
    run = simulate(settings, rate=rate, seconds=seconds, scenario=scenario, seed=seed)
    took_s = time.perf_counter() - started_s
    console = make_console()
    coarse = replace(run.meta, bin_s=max(run.meta.bin_s, run.meta.seconds / ROWS_SHOWN))
    with Rows(console) as rows:
        rows.show(LoadRun(run.records, run.samples, coarse))
    show_verdict(
        run,
        console,
        [
            ("virtual seconds", f"{run.meta.seconds:,.0f}"),
            ("real seconds", f"{took_s:,.2f}"),
            ("customers per real second", f"{len(run.records) / took_s:,.0f}"),
        ],
    )
    if json_file:
        write_json(run, json_file)


def make_console() -> Console:
    """Where the commands write. Piped, it is wide and plain."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=110)


def measured(console: Console, *, force: bool = False) -> Calibration:
    """What this machine can do, recalled or measured; its progress only where one can see it."""
    from bpdemo.lab.calibration import calibrate

    # Its one line of progress overwrites itself, which in a file is a mess.
    with nullcontext() if console.is_terminal else redirect_stdout(io.StringIO()):
        return calibrate(force)


# -- the service and the load ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """What a service tells of itself; one that is no box office tells nothing."""

    url: str
    capacity_per_s: float | None = None
    settings: dict[str, Any] = field(default_factory=dict)


def ask_service(url: str) -> Told:
    """Look who answers at `url`. ValueError, in one line, if nobody does."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"url: {url!r} is not an address such as http://127.0.0.1:8000")
    try:
        # The load generator heeds no proxy variables either.
        with httpx.Client(base_url=url, trust_env=False, timeout=ANSWER_WITHIN_S) as client:
            answer = client.get("/settings")
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL) as error:
        why = str(error) or type(error).__name__
        raise ValueError(f"url: nothing answers at {url} ({why}); is the service up?") from None
    except httpx.HTTPError:
        return Told(url)  # somebody is there: how it answers is the load's business
    return _told(url, answer)


def _told(url: str, answer: httpx.Response) -> Told:
    try:
        settings = {name: knob["value"] for name, knob in answer.json()["settings"].items()}
        service_s = settings["payment_latency_s"] + settings["store_latency_s"]
        capacity_per_s = settings["workers"] / service_s if service_s else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return Told(url)
    return Told(url, capacity_per_s, settings)


def _drive(told: Told, plan: Plan, processes: int, console: Console) -> LoadRun:
    meta = Meta(
        scenario=plan.scenario,
        seconds=plan.seconds,
        bin_s=min(0.5, plan.seconds),
        rate_per_s=plan.rate_per_s,
        capacity_per_s=told.capacity_per_s,
        patience_s=plan.patience_s,
        seed=plan.seed,
        settings=told.settings,
    )
    driver = Driver(told.url, plan, processes)
    try:
        with Rows(console) as rows:
            pause_s = LOOK_EVERY_S
            while not driver.wait(pause_s):
                began_s = time.perf_counter()
                rows.show(_so_far(driver, meta))
                # The longer the load, the more there is to add up: never half of the machine.
                pause_s = max(LOOK_EVERY_S, 5 * (time.perf_counter() - began_s))
            run = _run(driver, meta, driver.gathered.seconds(plan.seconds))
            rows.show(run)
    finally:
        driver.kill()
    return run


def _so_far(driver: Driver, meta: Meta) -> LoadRun | None:
    """The bins in which every order has had its time."""
    settled_s = min(driver.heard_until_s - meta.patience_s, meta.seconds)
    whole_bins_s = settled_s // meta.bin_s * meta.bin_s
    return _run(driver, meta, whole_bins_s) if whole_bins_s > 0 else None


def _run(driver: Driver, meta: Meta, seconds: float) -> LoadRun:
    gathered = driver.gathered
    facts = replace(meta, seconds=max(seconds, 0.1), **gathered.facts())
    return LoadRun.from_records(gathered.records, gathered.samples, facts)


# -- rows, verdict, file ---------------------------------------------------------------------


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
            self._live.update(_table(run.frame.tail(ROWS_SHOWN)), refresh=True)
            return
        if not self._printed:
            for line in (0, 1):
                heads = (f"{head.split(chr(10))[line]:>{width}}" for head, _, width in COLUMNS)
                self._console.out(*heads, sep=" ")
        for _, row in run.frame.iloc[self._printed :].iterrows():
            self._console.out(*(f"{_cell(row, n):>{w}}" for _, n, w in COLUMNS), sep=" ")
        self._printed = len(run.frame)


def _table(frame: pd.DataFrame) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for head, name, width in COLUMNS:
        colour = FATE_COLOURS.get(name.removesuffix("_per_s"))
        style = f"bold {colour}" if colour else ""
        table.add_column(
            head, justify="right", min_width=width - 1, style=style, header_style=style
        )
    for _, row in frame.iterrows():
        table.add_row(*(_cell(row, name) for _, name, _ in COLUMNS))
    return table


def _cell(row: pd.Series[Any], name: str) -> str:
    value = float(row[name])
    if math.isnan(value):
        return "-"
    return f"{value:,.1f}" if name in ("t_s", "workers_busy") else f"{value:,.0f}"


def show_verdict(run: LoadRun, console: Console, more: list[tuple[str, str]] | None = None) -> None:
    """What came of the orders, in numbers and in a sentence, and whether it counts."""
    summary, offered = run.summary, max(len(run.records), 1)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for head, justify in (("", "left"), *((h, "right") for h in ("orders", "per s", "share"))):
        table.add_column(head, justify=justify)  # type: ignore[arg-type]
    table.add_row("offered", f"{len(run.records):,}", f"{summary['offered_per_s']:,.1f}", "100%")
    for code, fate in enumerate(FATES):
        count = int((run.records.fate == code).sum())
        per_s, share = f"{count / run.meta.seconds:,.1f}", percent(count / offered)
        table.add_row(WORDS[fate], f"{count:,}", per_s, share, style=f"bold {FATE_COLOURS[fate]}")
    if run.meta.capacity_per_s:
        # What waits when a short run begins or ends can carry it past the full share.
        share = percent(min(1.0, summary["goodput_share"]))
        table.add_row("capacity", "", f"{summary['capacity_per_s']:,.1f}", f"{share} of it sold")
    for name in ("p50_ms", "p95_ms", "p99_ms"):
        told = "-" if math.isnan(summary[name]) else f"{summary[name]:,.0f} ms"
        table.add_row(f"{name[:3]} of those let in", "", "", told)
    for name, value in more or ():
        table.add_row(name, "", "", value)
    console.print()
    console.print(table)
    console.print(f"\n{run.sentence}", markup=False)
    if causes := causes_of(run.records, run.meta):
        console.print(f"{SENTENCE} ({'; '.join(causes)})", style="bold", markup=False)


def require_folder_of(path: Path | None) -> None:
    """ValueError before the load, not after it, if the file could not be written."""
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise ValueError(f"json: {path} cannot be written: a folder, or its folder is not there")


def write_json(run: LoadRun, path: Path) -> None:
    """Summary, frame, reasons and facts of the run; what is not known is null."""
    causes = causes_of(run.records, run.meta)
    document = {
        "sentence": run.sentence,
        "valid": not causes,
        "causes": causes,
        "summary": run.summary,
        "reasons": run.reasons,
        "frame": run.frame.to_dict("records"),
        "meta": asdict(run.meta),
    }
    path.write_text(json.dumps(_plain(document), indent=1) + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
