"""`bpdemo load` and `bpdemo simulate`: rows while it runs, a verdict, and the numbers as JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from rich.console import Console

from bpdemo.cli.console import make_console
from bpdemo.cli.long_queue import tell_long_queue
from bpdemo.cli.rows import ROWS_SHOWN, Rows
from bpdemo.cli.shown_load import show_load
from bpdemo.cli.verdict_table import show_verdict
from bpdemo.core.settings import Settings
from bpdemo.load.addresses import Address, require_free
from bpdemo.load.driver import Driver, LoadFailed
from bpdemo.load.far_driver import FarDriver
from bpdemo.load.run import LoadRun
from bpdemo.load.target import TargetFacts, ask_service
from bpdemo.load.told_capacity import has_capacity_for
from bpdemo.load.user_file import rate_in
from bpdemo.plan.arguments import asked_for
from bpdemo.plan.plan import Plan
from bpdemo.plan.request import Request
from bpdemo.results.document import require_folder_of
from bpdemo.results.json_file import write_json

USUAL_PER_S: Final = 100.0


@dataclass(frozen=True, slots=True)
class Far:
    """Where workers on other machines join, how many, and how long to wait for the next."""

    listen: str
    workers: int
    join_within_s: float


def run_load(
    url: str,
    scenario: str,
    rate: float | None,
    seconds: float,
    processes: int,
    seed: int,
    json_file: Path | None,
    far: Far | None = None,
    request: Request | None = None,
    user: Path | None = None,
    i_run_this_service: bool = False,
    retrying: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Drive a load, show it, tell what came of it. ValueError for what the user got wrong."""
    if user and (request or far):
        raise ValueError("user: a Locust file goes without --request, and runs on this machine")
    if user and any(retrying.values()):
        raise ValueError("retries: a Locust file says itself what it sends; leave them out")
    if rate is None:
        rate = rate_in(user) if user else USUAL_PER_S
    plan = Plan(
        rate_per_s=rate, seconds=seconds, scenario=scenario, seed=seed, request=request, **retrying
    )
    require_folder_of(json_file)
    listen = far and require_free("listen", Address.parse("listen", far.listen))
    told = what_counts(ask_service(url, i_run_this_service), request, user)
    console = make_console()
    if told.doubt and not (request or user):
        console.print(told.doubt, markup=False, highlight=False, soft_wrap=True)
    if far and listen:
        run = _from_afar(told, plan, far, listen, console, i_run_this_service)
        apart_ms = f"{run.meta.clocks_apart_s * 1000:,.1f} ms"
        show_verdict(run, console, [("clocks apart, at most", apart_ms)])
    else:
        run = _from_here(told, plan, processes, console, user, i_run_this_service)
        show_verdict(run, console)
    _write(run, json_file)
    if run.meta.lost:
        raise LoadFailed(run.meta.lost[0])


def what_counts(told: TargetFacts, request: Request | None, user: Path | None) -> TargetFacts:
    """What a service says of itself, as far as it is about what is sent."""
    return told if has_capacity_for(told, request, user) else replace(told, capacity_per_s=None)


def _from_here(
    told: TargetFacts,
    plan: Plan,
    processes: int,
    console: Console,
    user: Path | None,
    i_run_this_service: bool,
) -> LoadRun:
    driver = Driver(told.url, plan, processes, user=user, i_run_this_service=i_run_this_service)
    return show_load(driver, told, console)


def _from_afar(
    told: TargetFacts,
    plan: Plan,
    far: Far,
    listen: Address,
    console: Console,
    i_run_this_service: bool,
) -> LoadRun:
    driver = FarDriver(
        told.url, plan, listen, far.workers, far.join_within_s,
        news=lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True),
        i_run_this_service=i_run_this_service,
    )  # fmt: skip
    try:
        driver.wait_until_begun()
        return show_load(driver, told, console)
    finally:
        driver.kill()


def run_simulation(
    knobs: Mapping[str, Any],
    unprotected: bool,
    plan: Plan,
    json_file: Path | None,
) -> None:
    """The same under virtual time. ValueError or `SettingsInvalid` for what the user got wrong."""
    from bpdemo.lab.services.simulation import simulate

    require_folder_of(json_file)
    settings = Settings.unprotected(**knobs) if unprotected else Settings(**knobs)
    started_s = time.perf_counter()
    run = simulate(settings, **asked_for(plan))
    tell_long_queue(settings, run.meta.client_timeout_s)
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
    _write(run, json_file)


def _write(run: LoadRun, json_file: Path | None) -> None:
    """ValueError if it cannot be written: the numbers have been shown by then."""
    try:
        if json_file:
            write_json(run, json_file)
    except OSError as error:
        why = error.strerror or str(error)
        told = f"json: {json_file} cannot be written ({why}); the result stands above"
        raise ValueError(told) from None
