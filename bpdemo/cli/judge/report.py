"""The report of `bpdemo judge`: verdict, figures and pictures in one HTML file, for offline."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from bpdemo import __version__
from bpdemo.cli.judge.grading import Judgement, Marking, needs_a_limit, overall
from bpdemo.cli.judge.trials import Trials

SIGNS: Final[Mapping[Marking, str]] = {"good": "✓", "unclear": "~", "bad": "✗", "not judged": "–"}
READING: Final = (
    "The verdict leaves out the beginning of each load, in which queues fill; what stands above a "
    "picture counts all of it.\n\n"
    "Time runs to the right. Top: what became of the requests, per second: served in time, late "
    "(no answer within the client timeout), shed (503 or 429) or failed; the dashed line is the "
    "capacity that was found. Below: how long the answered ones took. All loads are open: requests "
    "are sent at their time, however slow the answers are."
)


def write_judge_report(
    path: Path, target: str, trials: Trials, findings: Sequence[Judgement], took_s: float
) -> Path:
    # Plotly takes a second to load: not before the loads are over.
    from bpdemo.picture.report import Section, write_report

    capacity = trials.capacity
    assert capacity is not None
    verdict = overall(findings) if findings else capacity.sentence
    head = ("what", "grade", "what was seen", "what to change")
    rows = [(f.name, f"{SIGNS[f.grade]} {f.grade}", f.sentence, f.advice) for f in findings]
    sections = [Section("The verdict", verdict, [head, *rows] if rows else [])]
    if trials.beginning and needs_a_limit(findings):
        begin = trials.beginning
        sections.append(Section("Where to begin", begin.sentence, code=begin.code))
    if capacity.steps:
        sections.append(
            Section(
                "Its capacity", capacity.sentence, figure=capacity.figure(), alt=capacity.sentence
            )
        )
    for name, run in trials.runs.items():
        sections.append(Section(name, figure=run.figure(), alt=run.sentence))
    sections.append(Section("How to read it", READING))
    facts = [
        ("what was sent", trials.request.name),
        ("client timeout", f"{trials.client_timeout_s * 1000:g} ms"),
        ("measured", f"{datetime.now().astimezone():%Y-%m-%d %H:%M}, with bpdemo {__version__}"),
        ("on", f"Python {platform.python_version()}, {os.cpu_count()} cores"),
        ("it took", f"{took_s:.0f} s"),
    ]
    sections.append(Section("How it was measured", rows=[("fact", "value"), *facts]))
    return write_report(path, f"{target} under overload", sections)
