"""No cell is silent for long: below it stands how long it has been running."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bpdemo.core.box import passing
from bpdemo.lab.live.cell_clock import CellClock
from bpdemo.load import progress_line
from tests.support.jupyter import Kernel
from tests.support.waiting import eventually

#: A cell that ends once that file is there.
WAITS = "import pathlib\nwhile not pathlib.Path('over').exists():\n    pass\n'done'"


class Page:
    """In place of a cell's output: every text that its line ever had."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def display(self, html: Any, display_id: bool) -> Page:
        assert display_id
        return self.update(html)

    def update(self, html: Any) -> Page:
        self.texts.append(html.data)
        return self


def test_a_long_cell_says_how_long_it_runs_and_at_its_end_nothing() -> None:
    """Over and over, so that one sees that it lives."""
    page = Page()
    clock = CellClock(page.display, 0.01, 0.01)
    clock.begin()
    eventually(lambda: len(page.texts) > 2, "it is told again and again")
    clock.end()
    assert page.texts[0] == passing("<i>Running for 0 s …</i>")
    assert page.texts[-1] == ""


def test_a_short_cell_has_no_line() -> None:
    """Nor has the one behind it."""
    page = Page()
    clock = CellClock(page.display, 1000)
    for _ in range(3):
        clock.begin()
        clock.end()
    assert page.texts == []


def test_a_line_that_tells_more_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a load or a start tells how it goes, the clock does not; in between it does."""
    page = Page()
    monkeypatch.setattr(progress_line, "OPEN", {"a load"})
    clock = CellClock(page.display, 0, 0.001)
    clock.begin()
    monkeypatch.setattr(progress_line, "OPEN", set())
    eventually(lambda: page.texts, "the load is over")
    monkeypatch.setattr(progress_line, "OPEN", {"another"})
    eventually(lambda: page.texts[-1] == "", "another began")
    clock.end()


def test_a_kernel_shows_it_below_the_cell_that_runs(tmp_path: Path) -> None:
    """From the one on that imports the lab; and it is gone before the cell is over."""
    with Kernel(tmp_path) as kernel:
        for code in (f"from bpdemo.lab import simulate\n{WAITS}", WAITS):
            cell, seen = kernel.begin(code), list[tuple[str, str]]()
            while not seen or seen[-1][0] != "idle":
                message = kernel.client.get_iopub_msg(timeout=30)
                if message["parent_header"].get("msg_id") != cell:
                    continue
                content, kind = message["content"], message["msg_type"]
                if kind == "status":
                    seen.append((content["execution_state"], ""))
                elif "text/html" in content.get("data", {}):
                    seen.append((kind, content["data"]["text/html"]))
                    (tmp_path / "over").touch()
            kinds, texts = zip(*seen, strict=True)
            assert kinds[:2] == ("busy", "display_data")
            assert texts[1] == passing("<i>Running for 2 s …</i>")
            assert texts[-2] == ""
            (tmp_path / "over").unlink()
