"""A run that proves nothing is marked as such in whatever picture it is drawn."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest

from bpdemo.lab.lessons.effort import Effort
from bpdemo.lab.lessons.figures.attempts import attempts_figure
from bpdemo.lab.lessons.figures.signal_panels import signal_figure
from bpdemo.lab.lessons.signals import Signals
from bpdemo.lab.lessons.sweeps import Sweep, goodput_figure
from bpdemo.load.run import LoadRun
from bpdemo.picture.bars import fate_bars
from bpdemo.picture.lines import line_figure
from bpdemo.picture.picture import picture, side_by_side
from bpdemo.picture.void import VOID
from tests.picture.runs import run_of
from tests.support.notebooks import cells_in

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
VALID = run_of()
SEEN = pd.DataFrame({"t_s": [1.0, 2.0], "cpu_share": [0.2, 0.3], "wait_ms": [10.0, 300.0]})


def judged(loop_lag_s: float) -> LoadRun:
    """A run of which all was sent, while the event loop was so late."""
    count = len(VALID.records)
    facts = replace(VALID.meta, planned=count, sent=count, loop_lag_p99_s=loop_lag_s)
    return LoadRun(VALID.records, VALID.samples, facts)


PICTURES: dict[str, Callable[[LoadRun], go.Figure]] = {
    "a run": picture,
    "the first of two": lambda run: side_by_side(run, VALID),
    "the second of two": lambda run: side_by_side(VALID, run),
    "a bar": lambda run: fate_bars({"valid": VALID, "this": run}),
    "a bar under a title": lambda run: fate_bars({"valid": VALID, "this": run}, "What it sold"),
    "lines": lambda run: line_figure(
        {"served": {0: 1, 1: 2}}, title="Served", x="s", y="orders", runs=(VALID, run)
    ),
    "work and goodput": lambda run: Effort(run, [(0.0, 0.0), (10.0, 500.0)]).figure(),
    "signals": lambda run: signal_figure(Signals(SEEN, run)),
    "attempts": lambda run: attempts_figure(
        {"valid": VALID, "this": run}, title="Attempts", until_s=3
    ),
    "a sweep": lambda run: goodput_figure(Sweep("it", {1.0: VALID, 2.0: run})),
    "the second of two sweeps": lambda run: goodput_figure(
        Sweep("one", {1.0: VALID}), Sweep("two", {1.0: run})
    ),
}


@pytest.mark.parametrize("draw", PICTURES.values(), ids=list(PICTURES))
def test_each_kind_of_picture_marks_it(draw: Callable[[LoadRun], go.Figure]) -> None:
    """Once, before the result, and never on one that counts."""
    for lag_s, times in ((0.0, 0), (0.2, 1)):
        figure = draw(judged(lag_s))
        told = " ".join(note.text or "" for note in figure.layout.annotations)
        assert told.replace("<br>", " ").replace("</b> <b>", " ").count(VOID) == times


def calls_of(name: str, lesson: Path) -> Iterator[ast.Call]:
    for cell in cells_in(lesson):
        if cell.cell_type == "code" and not cell.source.lstrip().startswith(("%", "!")):
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
                    yield node


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_lines_of_a_lesson_know_the_runs_they_come_from(lesson: Path) -> None:
    """Only what was simulated is never void."""
    for call in calls_of("line_figure", lesson):
        told = {word.arg: ast.unparse(word.value) for word in call.keywords}
        runs = told.get("runs", "()")
        assert told.get("simulated") == "True" or runs not in ("()", "[]"), ast.unparse(call)


def test_lessons_draw_lines_of_both_kinds() -> None:
    """So that what is asked of each is asked of some."""
    kinds = [
        word.arg
        for lesson in LESSONS
        for c in calls_of("line_figure", lesson)
        for word in c.keywords
    ]
    assert kinds.count("simulated") >= 10
    assert kinds.count("runs") >= 2
