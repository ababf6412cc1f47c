"""The demo's report tells of the services that ran."""

import re
from dataclasses import replace
from pathlib import Path

from bpdemo.cli.demo.outcome import SpikeOutcome
from bpdemo.cli.demo.report import write_demo_report
from bpdemo.core.settings import Settings
from bpdemo.load.run import LoadRun
from tests.picture.runs import RUNS


def outcome(name: str, queue_capacity: int) -> SpikeOutcome:
    run = RUNS[name]
    settings = {"workers": 2, "queue_capacity": queue_capacity}
    meta = replace(run.meta, settings=settings)
    return SpikeOutcome(LoadRun(run.records, run.samples, meta), 7, 3)


def test_the_queue_is_as_long_as_in_the_picture(tmp_path: Path) -> None:
    """On a machine with room for few workers the protected one is shorter than its profile's."""
    assert Settings().queue_capacity != 16
    naive, safe = outcome("far beyond", -1), outcome("usual", 16)
    page = write_demo_report(tmp_path / "report.html", naive, safe).read_text("utf-8")
    (row,) = re.findall(r"<tr>(?:(?!</tr>).)*queue_capacity(?:(?!</tr>).)*</tr>", page, re.DOTALL)
    assert re.findall(r"(-?\d+) orders", row) == ["-1", "16"]
