"""The report of `bpdemo judge`: verdict, figures and pictures in one HTML file, for offline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bpdemo.cli.judge.grading import Judgement, needs_a_limit, overall
from bpdemo.cli.judge.trials import Trials

READING = (
    "Time runs to the right. Top: what became of the requests, per second: served in time, late "
    "(no answer within the client timeout), shed (503 or 429) or failed; the dashed line is the "
    "capacity that was found. Below: how long the answered ones took. All loads are open: requests "
    "are sent at their time, however slow the answers are."
)


def write_judge_report(
    path: Path, target: str, trials: Trials, findings: Sequence[Judgement]
) -> Path:
    # Plotly takes a second to load: not before the loads are over.
    from bpdemo.picture.report import Section, write_report

    capacity = trials.capacity
    assert capacity is not None
    verdict = overall(findings) if findings else capacity.sentence
    head = ("what", "grade", "what was seen", "what to change")
    rows = [(f.name, f.grade, f.sentence, f.advice) for f in findings]
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
    ]
    sections.append(Section("How it was measured", rows=[("fact", "value"), *facts]))
    return write_report(path, f"{target} under overload", sections)
