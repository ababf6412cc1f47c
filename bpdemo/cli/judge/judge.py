"""`bpdemo judge TARGET`: find its capacity, overload it, say what it does and what to change."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile
from textwrap import indent
from typing import Any, Final

from rich.console import Console

from bpdemo.cli.console import make_console
from bpdemo.cli.judge.grading import Judgement, needs_a_limit, overall
from bpdemo.cli.judge.lengths import Lengths
from bpdemo.cli.judge.report import write_judge_report
from bpdemo.cli.judge.target import is_address, running
from bpdemo.cli.judge.trials import Trials
from bpdemo.core.whole_file import write_whole
from bpdemo.load.search_time import START_S, search_time_s, told_time
from bpdemo.plan.plan import require_range
from bpdemo.plan.request import Request

SLOWER: Final = "longer for a service that takes fewer than 50 requests a second"
NAME_ONE: Final = (
    "to judge the request that does the work, name it, such as --request 'POST /orders' "
    "--json-body '{\"item_id\": 1}'"
)
LOADS: Final = 5
STYLES = {"good": "green", "unclear": "yellow", "bad": "bold red", "not judged": "dim"}


def run_judge(
    target: str,
    request: Request | None,
    client_timeout_ms: float,
    out: Path,
    i_run_this_service: bool = False,
) -> int:
    """0 if the capacity was found, else 1. ValueError for what the user got wrong."""
    client_timeout_s = require_range("client_timeout_ms", client_timeout_ms, 1, 3_600_000) / 1000
    if out.exists() and not out.is_dir():
        raise ValueError(f"out: {out} is not a folder")
    console = make_console()

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    began_s = time.monotonic()
    if console.is_terminal and not is_address(target):
        say(f"Starting {target} in a process of its own")
    with running(target, i_run_this_service) as service:
        _make_folder(out)
        say(f"This takes {told_time(*expected_s(client_timeout_s))}; {SLOWER}")
        if request is None:
            say(f"Sending GET /; {NAME_ONE}")
        trials = Trials(
            service,
            request or Request("GET", "/"),
            client_timeout_s,
            say,
            pid=getattr(service, "pid", None),
            i_run_this_service=i_run_this_service,
        )
        findings = trials.run()
    _tell(trials, findings, console)
    if not findings and request is None:
        say(f"GET / may be too light, or no route of this service: {NAME_ONE}")
    _write(target, trials, findings, out, time.monotonic() - began_s, say)
    return 0 if findings else 1


def _make_folder(out: Path) -> None:
    """ValueError before the loads, not after them, if no report could be written there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=out).close()
    except OSError as error:
        raise ValueError(f"out: {out} cannot be written to ({error.strerror})") from None


def expected_s(client_timeout_s: float) -> tuple[float, float]:
    """How long it takes at least, and at most for most services: one that is slow to come to rest
    takes twice as long."""
    loads_s = Lengths.of(client_timeout_s, 1.0).all_s + LOADS * START_S
    low_s = search_time_s(client_timeout_s) + loads_s
    return low_s, 2 * low_s


def _tell(trials: Trials, findings: list[Judgement], console: Console) -> None:
    if not findings:
        return
    console.print()
    for finding in findings:
        console.print(f"{finding.grade:>10}", style=STYLES[finding.grade], end="  ")
        told = finding.sentence
        if finding.grade == "not judged":
            told = f"{finding.name}: {told}"
        console.print(told, markup=False, highlight=False, soft_wrap=True)
    console.print(f"\n{overall(findings)}", style="bold", markup=False, soft_wrap=True)
    for advice in dict.fromkeys(finding.advice for finding in findings if finding.advice):
        console.print(f"- {advice}", markup=False, highlight=False, soft_wrap=True)
    if trials.beginning and needs_a_limit(findings):
        code = indent(trials.beginning.code, " " * 6)
        console.print(f"- {trials.beginning.sentence}\n\n{code}", markup=False, soft_wrap=True)


def _write(
    target: str, trials: Trials, findings: list[Judgement], out: Path, took_s: float, say: Any
) -> None:
    assert trials.capacity is not None
    capacity = trials.capacity
    document = {
        "target": target,
        "request": trials.request.name,
        "client_timeout_s": trials.client_timeout_s,
        "capacity": {
            "found": capacity.found,
            "per_s": capacity.per_s,
            "at_least_per_s": capacity.at_least_per_s,
            "why_not": capacity.why_not,
            "steps": [asdict(step) for step in capacity.steps],
        },
        "verdict": overall(findings) if findings else capacity.sentence,
        "findings": [asdict(finding) for finding in findings],
        "took_s": round(took_s, 1),
    }
    write_whole(out / "judge.json", (json.dumps(document, indent=1) + "\n").encode())
    say("\nWriting the report ...")
    report = write_judge_report(out / "judge.html", target, trials, findings, took_s)
    say(f"The report: {report}")
