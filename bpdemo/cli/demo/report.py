"""The report of the demo: verdict, pictures, and how both came about, in one HTML file."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from bpdemo.cli.demo.outcome import SpikeOutcome
from bpdemo.cli.demo.verdict import numbers, sentences, warnings
from bpdemo.core.choices import PROFILES
from bpdemo.core.settings import Settings, describe
from bpdemo.load.run import LoadRun
from bpdemo.results.sentence import comparison, percent

READING = (
    "Time runs to the right, both services share their axes. Top: what became of the requests, "
    "per second: served in time, late (no answer within the client timeout), shed (turned away at "
    "the door) or failed. The dashed line is capacity, the arrow an offer beyond the panel, and "
    "the ribbon above it the shares of all requests. Middle: how long the admitted ones waited, "
    "half of them (p50) and all but one in a hundred (p99), on a scale where each step is ten "
    "times as long. Bottom: jobs in the queue, the queue's capacity, and busy workers."
    "\n\nBoth services work just as hard. The difference is for whom: a queue without a bound "
    "grows until every caller who reaches its head has already given up. A bounded one sheds "
    "load early, while a refusal is still useful, and keeps its workers for requests that "
    "somebody is waiting for."
)

NEXT = (
    ("what it shows", "file"),
    ("your machine, the first order, the picture panel by panel", "notebooks/00_start_here.ipynb"),
    ("this story step by step, and figures that hide it", "notebooks/01_when_queues_explode.ipynb"),
    ("the bounded queue, in code", "bpdemo/flow/queue.py"),
)


def write_demo_report(path: Path, naive: SpikeOutcome, safe: SpikeOutcome) -> Path:
    # Plotly takes a second to load: not before the story is told.
    from bpdemo.picture.picture import side_by_side
    from bpdemo.picture.report import Section, write_report

    runs = (naive.run, safe.run)
    words = [*warnings(naive, safe), *sentences(naive, safe)]
    alt = f"{comparison(*runs)} {naive.run.sentence} {safe.run.sentence}"
    return write_report(
        path,
        "The box office on sale day: one spike, two services",
        [
            Section("The verdict", "\n\n".join(words), [("", *PROFILES), *numbers(naive, safe)]),
            Section("The same spike, twice", figure=side_by_side(*runs), alt=alt),
            Section("How to read it", READING),
            Section("What made the difference", rows=_differing_knobs(*runs)),
            Section("How it was measured", rows=_facts(naive, safe)),
            Section(
                "What to read next", "Open the lessons with make lab (or python lab.py).", NEXT
            ),
        ],
    )


def _differing_knobs(naive: LoadRun, safe: LoadRun) -> list[tuple[str, ...]]:
    """The settings in which the two services differed, and what each means."""
    both = [
        _as_it_ran(settings, run)
        for settings, run in ((Settings.unprotected(), naive), (Settings(), safe))
    ]
    rows: list[tuple[str, ...]] = [("setting", *PROFILES, "what it means")]
    rows += [
        (name, *(_value(knobs[name]) for knobs in both), both[1][name]["description"])
        for name in both[1]
        if both[0][name]["value"] != both[1][name]["value"]
    ]
    return rows


def _as_it_ran(settings: Settings, run: LoadRun) -> dict[str, dict[str, Any]]:
    """The profile's knobs with the values that the run's service had: where the machine has room
    for few workers, a protected queue is shorter."""
    ran = run.meta.settings
    return {
        name: knob | ({"value": ran[name]} if name in ran else {})
        for name, knob in describe(settings).items()
    }


def _value(knob: dict[str, Any]) -> str:
    value = knob["value"]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value} {knob['unit']}".strip()


def _facts(*outcomes: SpikeOutcome) -> list[tuple[str, ...]]:
    runs = [outcome.run for outcome in outcomes]
    table = {
        "workers": [str(run.meta.settings.get("workers", "-")) for run in runs],
        "capacity, orders a second": [f"{run.meta.capacity_per_s or 0:,.0f}" for run in runs],
        "peak of the spike, orders a second": [f"{run.meta.rate_per_s:,.0f}" for run in runs],
        "client timeout": [f"{run.meta.client_timeout_s * 1000:,.0f} ms" for run in runs],
        "seed": [str(run.meta.seed) for run in runs],
        "sent as planned": [percent(run.meta.sent / max(run.meta.planned, 1)) for run in runs],
        "p99 of send lag (at most 50 ms)": [f"{run.send_lag_p99_ms:.1f} ms" for run in runs],
        "p99 of event-loop lag (at most 20 ms)": [
            f"{(run.meta.loop_lag_p99_s or 0) * 1000:.1f} ms" for run in runs
        ],
        "Python": [platform.python_version()] * len(runs),
    }
    return [("", *PROFILES), *((name, *cells) for name, cells in table.items())]
