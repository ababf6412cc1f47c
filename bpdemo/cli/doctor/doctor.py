"""`bpdemo doctor`: is this machine ready? A line for each thing looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

from bpdemo.api.connection.descriptors import reachable_limit
from bpdemo.api.connection.open_connections import RESERVE, capacity_within
from bpdemo.cli.console import make_console, measured
from bpdemo.cli.doctor.finding import Check, Finding, looked_at
from bpdemo.cli.doctor.folders import disk_space, write_access
from bpdemo.cli.doctor.machine import (
    event_loop_lag,
    mains_power,
    processors,
    share_in_use,
    timer_tick,
)
from bpdemo.cli.doctor.network import loopback, open_files, proxy_variables
from bpdemo.cli.doctor.programs import chromium, locust, postgres
from bpdemo.cli.doctor.python import packages, python
from bpdemo.core.counted import counted
from bpdemo.lab.services.machine import learn, recalled

if TYPE_CHECKING:
    from bpdemo.lab.services.machine import Calibration

CHECKS: Final[tuple[Check, ...]] = (
    *(python, packages, write_access, disk_space, proxy_variables, loopback, open_files),
    *(processors, mains_power, timer_tick, event_loop_lag, locust, postgres, chromium),
)

STYLES: Final = {"ok": "green", "warn": "bold yellow", "FAIL": "bold red"}
NAME_WIDTH: Final = 16
SPEEDUP_WANTED: Final = 20
"""Ten times capacity must need at most half of the send rate."""

LARGEST_LOAD: Final = 10
"""Times capacity; each of its requests holds a connection until its client's timeout is over."""

CLIENT_TIMEOUT_S: Final = 0.5

WORKERS_WANTED: Final = 4
"""Fewer are chosen only where the load generator is starved."""


BUSY_SHARE: Final = 0.4
"""Of the processors, in use by others before or after a calibration: then it is not kept."""


def run_doctor() -> int:
    """Look at everything and tell it. The exit code: 0, or 1 if a line says FAIL."""
    console = make_console()
    findings = []
    for finding in examine([*CHECKS, calibration, connections], announced(console)):
        findings.append(finding)
        show(finding, console)
    failed = sum(finding.grade == "FAIL" for finding in findings)
    warned = sum(finding.grade == "warn" for finding in findings)
    console.print(f"\n{_conclusion(failed, warned)}")
    return 1 if failed else 0


def examine(checks: Iterable[Check], about_to: Callable[[Check], None]) -> Iterator[Finding]:
    """The findings, one after another; `about_to` hears of each check before its turn."""
    for check in checks:
        about_to(check)
        yield looked_at(check)


def announced(console: Console) -> Callable[[Check], None]:
    """On a terminal, a word on what is being looked at: some checks take seconds."""

    def announce(check: Check) -> None:
        if console.is_terminal:
            name = check.__name__.replace("_", " ")
            console.print(f"      {name} ...".ljust(console.width - 1), end="\r")

    return announce


def show(finding: Finding, console: Console) -> None:
    line = Text(f"{finding.grade:<5} ", style=STYLES[finding.grade])
    line.append(f"{finding.name:<{NAME_WIDTH}} ", style="bold").append(finding.seen, style="none")
    if console.is_terminal:
        line.pad_right(max(0, console.width - 1 - line.cell_len))
    console.print(line, soft_wrap=True)
    if finding.mend and finding.grade != "ok":
        console.print(f"      fix: {finding.mend}", markup=False, soft_wrap=True)


def _conclusion(failed: int, warned: int) -> str:
    if failed:
        lines = "line says" if failed == 1 else "lines say"
        return f"Not ready: {failed} {lines} FAIL. Fix that, then run it again."
    if warned:
        return f"Ready, with {counted(warned, 'thing')} to know about."
    return "Ready."


def calibration() -> Finding:
    """Measures anew what the machine can do, and keeps it for the lessons, unless others were
    busy: those would make do with little for ever after."""
    began_s = time.perf_counter()
    in_use = share_in_use()
    machine = measured(make_console(), force=True, keeps=False)
    in_use = max(in_use, share_in_use())
    if in_use > BUSY_SHARE:
        return Finding(
            "calibration",
            "warn",
            f"not kept: other programs had {in_use:.0%} of the processors",
            "close other programs, and run the doctor again",
        )
    from bpdemo.lab.services.calibration import is_worth_keeping

    learn(machine, keeps=is_worth_keeping(machine))
    return judged(machine, time.perf_counter() - began_s)


def connections() -> Finding:
    """Whether a service on this machine may have as many as the largest load of a lesson holds."""
    may = capacity_within(reachable_limit())
    machine = recalled()
    if machine is None:
        seen = f"a service may have {may:,.0f}; what a load needs is known once it is calibrated"
        return Finding("connections", "ok", seen)
    wanted = LARGEST_LOAD * machine.capacity_per_s * CLIENT_TIMEOUT_S
    seen = f"a service may have {may:,.0f}; {LARGEST_LOAD} times capacity holds {wanted:,.0f}"
    if wanted > may:
        mend = f"ask for a hard limit of {wanted + RESERVE:,.0f} open files, or take fewer workers"
        return Finding("connections", "warn", seen, mend)
    return Finding("connections", "ok", seen)


def judged(machine: Calibration, took_s: float) -> Finding:
    """A calibration as a finding."""
    seen = (
        f"{counted(machine.workers, 'worker')}, "
        f"{machine.capacity_per_s:,.0f} orders/s of capacity; "
        f"the load generator sustains {machine.send_rate_per_s:,.0f}/s ({took_s:.1f} s)"
    )
    is_slow = machine.workers < WORKERS_WANTED
    if is_slow or machine.send_rate_per_s < SPEEDUP_WANTED * machine.capacity_per_s:
        mend = (
            "the machine is slow, or was busy: close other programs, and run the doctor again; "
            "if it is slow, BPDEMO_PROFILE=short before make lab shortens every load"
        )
        return Finding("calibration", "warn", seen, mend)
    return Finding("calibration", "ok", seen)
