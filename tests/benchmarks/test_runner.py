"""The benchmark's runner, on its smallest section; figures are never judged here."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from benchmarks.measured import Aim, ratio
from benchmarks.results import Results, cell

ROOT = Path(__file__).resolve().parents[2]
SEPARATOR = re.compile(r"\|(---\|)+")


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "--size", "tiny", *arguments],
        check=False, cwd=ROOT, capture_output=True, text=True, timeout=110,
    )  # fmt: skip


def tables(page: str) -> list[list[str]]:
    """The lines of each table of a page in Markdown."""
    blocks = [block.strip().splitlines() for block in page.split("\n\n")]
    return [block for block in blocks if block[0].startswith("|")]


#: What a section takes to be measured is not what these runs are about.
PLAYED = """
import sys, types
import benchmarks.__main__ as runner
from benchmarks.measured import Found, Report

def fail(size, say):
    raise RuntimeError("no such luck")

def find(size, say):
    return Found(Report(title="Found at once", what="", logs="off", tables=[]), {})

for name, measure in {"parts": fail, "queue_lab": find}.items():
    sys.modules[f"benchmarks.sections.{name}"] = types.SimpleNamespace(measure=measure)
sys.argv = ["bench", *sys.argv[1:]]
runner.typer.run(runner.main)
"""


def run_played(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The whole runner, where `parts` fails and `queue_lab` is found at once."""
    return subprocess.run(
        [sys.executable, "-c", PLAYED, "--size", "tiny", *arguments],
        check=False, cwd=ROOT, capture_output=True, text=True, timeout=110,
    )  # fmt: skip


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real run of the smallest section, made once for all."""
    folder = tmp_path_factory.mktemp("measured")
    done = run("queue_lab", "--out", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_a_section_runs_from_end_to_end_and_is_told_in_two_files(measured: Path) -> None:
    """Exit 0; the page has whole tables and the machine; the JSON reads back as it was written."""
    page = (measured / "RESULTS.md").read_text("utf-8")
    found = tables(page)
    assert len(found) == 3, page  # the aims, and a table for each load
    for head, separator, *rows in found:
        assert SEPARATOR.fullmatch(separator)
        assert {row.count("|") for row in (head, separator, *rows)} == {head.count("|")}
    assert all(len(table) == 2 + 8 for table in found[1:]), "a row for each way to queue"
    assert "cores" in page
    assert "bpdemo 0.1.0" in page
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", page):
        assert (measured / picture).is_file()
    kept = Results.read(measured).sections["queue_lab"]
    assert kept.size == "tiny"
    assert Results.read(measured).page() == page


def test_sections_that_were_not_chosen_stay(measured: Path, tmp_path: Path) -> None:
    """A run of one section leaves the results of another as they were, and renews its own."""
    results = json.loads((measured / "results.json").read_text("utf-8"))
    results["sections"]["goodput"] = results["sections"]["queue_lab"]
    (tmp_path / "results.json").write_text(json.dumps(results), "utf-8")
    before = Results.read(tmp_path).sections["goodput"]
    done = run_played("queue_lab", "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    after = Results.read(tmp_path).sections
    assert list(after) == ["goodput", "queue_lab"]
    assert after["goodput"] == before
    assert after["queue_lab"].report.title == "Found at once"


def test_what_does_not_exist_is_refused(tmp_path: Path) -> None:
    """A section of no such name: exit 2, and the names there are."""
    done = run("nothing", "--out", str(tmp_path))
    assert done.returncode == 2
    assert "goodput" in done.stdout


def test_a_section_that_fails_does_not_keep_the_others_from_running(tmp_path: Path) -> None:
    """Exit 1 says so; the other's results are there."""
    done = run_played("parts", "queue_lab", "--out", str(tmp_path))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "no such luck" in done.stdout
    assert list(Results.read(tmp_path).sections) == ["queue_lab"]


def test_an_aim_is_judged_by_its_median() -> None:
    """One bad round neither breaks nor saves it."""
    assert Aim(text="", values=[0.4, 0.5, 9.0], at_most=0.5).is_met
    assert not Aim(text="", values=[0.4, 0.6, 0.6], at_most=0.5).is_met
    assert not Aim(text="", values=[0.5, 0.5, 9.0], at_least=0.6).is_met


def test_ratios_are_taken_round_by_round() -> None:
    """What both contain can be taken off first."""
    figures = {"ours": [3.0, 5.0], "peer": [5.0, 9.0], "both": [1.0, 1.0]}
    assert ratio(figures, "ours", "peer") == [0.6, 5 / 9]
    assert ratio(figures, "ours", "peer", less="both") == [0.5, 0.5]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([], "–"),
        ([0.5], "0.50"),
        ([12.34], "12.3"),
        ([1234.5, 1234.5, 999.9], "1,234 (1,000 – 1,234)"),
    ],
)
def test_a_cell_has_its_median_and_its_range(values: list[float], told: str) -> None:
    """Three digits that matter; no range where there is none."""
    assert cell(values) == told


def test_a_file_that_is_something_else_is_not_taken_for_results(tmp_path: Path) -> None:
    """It is not overwritten as if it were empty either: the run ends before it measures."""
    (tmp_path / "results.json").write_text('{"sections": 3}', "utf-8")
    with pytest.raises(ValidationError):
        Results.read(tmp_path)
