"""`bpdemo load` and `bpdemo simulate`: rows while it runs, a verdict, and the numbers as JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bpdemo.core.settings import Settings
from bpdemo.lab.asking import ask_service
from bpdemo.lab.console import make_console
from bpdemo.lab.json_file import require_folder_of, write_json
from bpdemo.lab.plan import Plan
from bpdemo.lab.rows import ROWS_SHOWN, Rows
from bpdemo.lab.run import LoadRun
from bpdemo.lab.shown_load import drive_and_show
from bpdemo.lab.verdict_table import show_verdict


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
    run = drive_and_show(told, plan, processes, console)
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
