"""`bpdemo judge TARGET`: find its capacity, overload it, say what it does and what to change."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from bpdemo.cli.console import make_console
from bpdemo.cli.judge.grading import Judgement, overall
from bpdemo.cli.judge.report import write_judge_report
from bpdemo.cli.judge.trials import Trials
from bpdemo.core.whole_file import write_whole
from bpdemo.lab.services.service import serve
from bpdemo.load.target import ask_service
from bpdemo.plan.plan import require_range
from bpdemo.plan.request import Request

STYLES = {"good": "green", "unclear": "yellow", "bad": "bold red", "not judged": "dim"}


def run_judge(
    target: str,
    request: Request | None,
    client_timeout_ms: float,
    out: Path,
    i_run_this_service: bool = False,
) -> int:
    """0 if the capacity was found, else 1. ValueError for what the user got wrong."""
    require_range("client_timeout_ms", client_timeout_ms, 1, 3_600_000)
    if out.exists() and not out.is_dir():
        raise ValueError(f"out: {out} is not a folder")
    console = make_console()

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    with ExitStack() as stack:
        service: Any
        if target.startswith(("http://", "https://")):
            service = ask_service(target, i_run_this_service)
        else:
            service = stack.enter_context(serve(app=target, where="process", name=target))
        trials = Trials(
            service,
            request or Request("GET", "/"),
            client_timeout_ms / 1000,
            say,
            pid=getattr(service, "pid", None),
            i_run_this_service=i_run_this_service,
        )
        findings = trials.run()
    _tell(findings, console)
    _write(target, trials, findings, out, say)
    return 0 if findings else 1


def _tell(findings: list[Judgement], console: Console) -> None:
    if not findings:
        return
    console.print()
    for finding in findings:
        console.print(f"{finding.grade:>10}", style=STYLES[finding.grade], end="  ")
        console.print(finding.sentence, markup=False, highlight=False, soft_wrap=True)
    console.print(f"\n{overall(findings)}", style="bold", markup=False, soft_wrap=True)
    for advice in dict.fromkeys(finding.advice for finding in findings if finding.advice):
        console.print(f"- {advice}", markup=False, highlight=False, soft_wrap=True)


def _write(target: str, trials: Trials, findings: list[Judgement], out: Path, say: Any) -> None:
    assert trials.capacity is not None
    out.mkdir(parents=True, exist_ok=True)
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
    }
    write_whole(out / "judge.json", (json.dumps(document, indent=1) + "\n").encode())
    report = write_judge_report(out / "judge.html", target, trials, findings)
    say(f"\nThe report: {report}")
