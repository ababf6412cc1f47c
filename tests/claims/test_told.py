"""The page of claims is a log: it has a row for each claim of the lessons, as it was measured."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bpdemo.lab.lessons.shared.claims import Claim as Measured
from tests.claims import told
from tests.claims.table import CLAIMS
from tests.support.claims import texts_of

BOUND = next(claim for claim in CLAIMS if claim.name == "bound")
TEXT = texts_of(BOUND.lesson, BOUND.name)[1]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the page, to be written."""
    copy = tmp_path / "CLAIMS.md"
    shutil.copy(told.PAGE, copy)
    monkeypatch.setattr(told, "PAGE", copy)
    return copy


def measured(value: float, bounds: str = "≥ 0.85", *, holds: bool = True) -> Measured:
    return Measured(TEXT, value, bounds, "of capacity", holds)


def played(*found: Measured, busy: int = 0) -> told.Played:
    made = told.Played(BOUND, "virtual time", "2030-01-02", len(found) + busy, busy)
    for one in found:
        made.heard(one)
    return made


def row(page: Path) -> str:
    [line] = [line for line in page.read_text("utf-8").splitlines() if f"| {TEXT} |" in line]
    return line


def test_the_log_has_a_row_for_each_claim_of_the_lessons_word_for_word():
    """A claim whose text changes loses the figures of the old one: `make claims` plays it again."""
    wanted = {claim.label: texts_of(claim.lesson, claim.name) for claim in CLAIMS}
    assert told.texts_told() == wanted


def test_a_row_has_the_worst_figure_of_its_runs(page: Path):
    """What was asked, what came, how often it held, how it was played, and when."""
    told.write_played(played(measured(0.97), measured(0.9), measured(0.8, holds=False)))
    wanted = f"| bound | 01 | {TEXT} | ≥ 0.85 of capacity | 0.8 | 2 of 3 | virtual time |"
    assert row(page) == f"{wanted} 2030-01-02 |"


@pytest.mark.parametrize(
    ("bounds", "values", "worst"),
    [
        ("≥ 0.85", (0.9, 0.97), "0.9"),
        ("≤ 0.1", (0.02, 0.04), "0.04"),
        ("between 0.95 and 1.05", (1.01, 0.96), "0.96 to 1.01"),
        ("= 3", (3, 3), "3"),
        ("≤ 1,000 ms", (1234.4, 12), "1234"),
    ],
)
def test_the_worst_is_on_the_side_of_its_bound(bounds: str, values: tuple[float, ...], worst: str):
    """The least, the greatest, or both ends of a range."""
    assert told.spread([measured(value, bounds) for value in values]) == worst


def test_a_claim_that_was_played_changes_no_other_row_and_no_other_section(page: Path):
    """What was not played, what was measured by arms and what was counted by hand stay."""
    before = page.read_text("utf-8").splitlines()
    told.write_played(played(measured(0.97)))
    after = page.read_text("utf-8").splitlines()
    assert len(after) == len(before)
    changed = [line for line in after if line not in before]
    assert all(line.startswith("| bound | 01 |") for line in changed)
    assert row(page) in changed


def test_a_machine_too_busy_to_measure_takes_no_figure_away(page: Path):
    """Five busy tries say nothing about the claim; beside a figure they are counted."""
    before = page.read_text("utf-8")
    told.write_played(played(busy=5))
    assert page.read_text("utf-8") == before
    told.write_played(played(measured(0.9), busy=4))
    assert "| 1 of 1 (4 busy) |" in row(page)


def test_a_claim_that_is_new_is_not_measured_yet(page: Path, monkeypatch: pytest.MonkeyPatch):
    """It gets a row without figures, and the row of a text that is gone goes."""
    texts = told.texts_of
    changed = [*texts(BOUND.lesson, BOUND.name), "something new"]
    changed.remove(TEXT)
    monkeypatch.setattr(
        told, "texts_of", lambda *which: changed if which[1] == "bound" else texts(*which)
    )
    told.tidy()
    assert "| bound | 01 | something new |  |  | not yet |  |  |" in page.read_text("utf-8")
    assert f"| bound | 01 | {TEXT} |" not in page.read_text("utf-8")


def test_what_nobody_changed_is_written_as_it_was(page: Path):
    """Reading the page and writing it is the page."""
    before = page.read_text("utf-8")
    told.tidy()
    assert page.read_text("utf-8") == before
