"""A load driven at a service by its address, with its rows shown while it runs."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from rich.console import Console

from bpdemo.cli.rows import Rows
from bpdemo.load.driver import Driver
from bpdemo.load.run import LoadRun
from bpdemo.load.target import TargetFacts
from bpdemo.results.meta import Meta

LOOK_EVERY_S: Final = 0.5


def show_load(driver: Driver, told: TargetFacts, console: Console) -> LoadRun:
    """Rows while `driver` drives, and what came of it; the driver is ended."""
    plan = driver.plan
    meta = Meta(
        scenario=plan.scenario,
        seconds=plan.seconds,
        bin_s=min(0.5, plan.seconds),
        rate_per_s=plan.rate_per_s,
        capacity_per_s=told.capacity_per_s,
        client_timeout_s=plan.client_timeout_s,
        seed=plan.seed,
        settings=told.settings,
    )
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
    settled_s = min(driver.heard_until_s - meta.client_timeout_s, meta.seconds)
    whole_bins_s = settled_s // meta.bin_s * meta.bin_s
    return _run(driver, meta, whole_bins_s) if whole_bins_s > 0 else None


def _run(driver: Driver, meta: Meta, seconds: float) -> LoadRun:
    gathered = driver.gathered
    facts = replace(meta, seconds=max(seconds, 0.1), **gathered.facts())
    return LoadRun(gathered.records, gathered.samples, facts)
