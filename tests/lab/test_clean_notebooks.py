"""What a page shows of a notebook that was saved while one of its cells ran."""

from typing import Any

import pytest

from bpdemo.core.box import passing
from bpdemo.lab.clean_notebooks import LEFT, without_passing
from bpdemo.load import progress_line
from bpdemo.load.driver import LoadProgress
from bpdemo.load.progress_line import ProgressLine, ProgressText


def shown(html: str | list[str]) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": {"text/html": html}}


def test_a_line_that_nothing_moves_any_more_says_what_became_of_its_cell() -> None:
    """Once, and all else that the cell has shown stays: tables, and lines that have gone."""
    stays: list[dict[str, Any]] = [
        {"output_type": "stream", "text": "3.0 of 10 s"},
        shown(""),
        shown("<table></table>"),
    ]
    running = [shown(passing("3.0 of 10 s")), shown([passing("Running"), " for 3 s"])]
    cell: dict[str, Any] = {
        "cell_type": "code",
        "outputs": [stays[0], running[0], *stays[1:], running[1]],
    }
    notebook = {"cells": [{"cell_type": "markdown"}, cell]}
    without_passing(notebook)
    told = [output.get("data", {}).get("text/html") for output in cell["outputs"]]
    assert told == [None, LEFT, "", "<table></table>"]
    before = str(notebook)
    without_passing(notebook)
    assert str(notebook) == before


@pytest.fixture
def below(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What stands below the cell, one text after the other."""
    told: list[str] = []

    class Display:
        def display(self, html: str, display_id: bool) -> "Display":
            assert display_id
            told.append(html)
            return self

        def update(self, html: str) -> None:
            told.append(html)

        HTML = staticmethod(str)

    monkeypatch.setattr(progress_line, "_in_notebook", lambda: True)
    monkeypatch.setattr(progress_line, "_ipython", Display)
    return told


def test_every_line_of_progress_is_known_as_one_that_goes(below: list[str]) -> None:
    """Until it has gone: then nothing is left to be known."""
    with ProgressText() as text:
        assert below == []
        text.show("one")
        text.show("two")
    with ProgressLine(10) as line:
        line.update(LoadProgress(1, 10, *(1, 1, 0, 0, 0, 0)))
    for html in filter(None, below):
        cell: dict[str, Any] = {"outputs": [shown(html)]}
        without_passing({"cells": [cell]})
        assert cell["outputs"][0]["data"]["text/html"] == LEFT
    assert [bool(html) for html in below] == [True, True, False, True, True, False]
