"""A run that does not count stops the cell, and is no traceback."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from bpdemo.core.box import WIDTH, boxed
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records
from bpdemo.results.validity import BESIDE, NotMeasured, causes_of, told_run

CAUSES = [
    "p99 of send lag was 86 ms, at most 50 is allowed",
    "p99 of event-loop lag was 41 ms, at most 20 is allowed",
]


def test_a_notebook_shows_a_box_and_stops(capsys):
    """The sentence, each cause, no line of code; the cells below do not run."""
    shell = InteractiveShell()
    shell.user_ns["error"] = NotMeasured(CAUSES)
    result = shell.run_cell("raise error\nafterwards = 1")
    told = capsys.readouterr().out
    assert isinstance(result.error_in_exec, NotMeasured)
    assert "afterwards" not in shell.user_ns
    assert "Traceback" not in told
    assert "raise error" not in told
    assert "Your machine was busy; this run proves nothing. Run it again." in told
    for cause in CAUSES:
        assert cause[1:] in told


def test_rendering_displays_nothing_itself(capsys):
    """IPython prints the lines; printing them here as well would show the box twice."""
    lines = NotMeasured(CAUSES)._render_traceback_()
    assert all(isinstance(line, str) for line in lines)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("details", [[], ["short"], ["word " * 100], ["x" * 300], ["a", "b"]])
def test_a_box_has_straight_walls(details):
    """Every line is as wide as the others, and no wider than a terminal."""
    lines = boxed("A title.", details)
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) <= WIDTH + 4 <= 80


@pytest.mark.parametrize("cell", [None, 7])
@pytest.mark.parametrize("scenario", ["steady", "spike", "closed"])
def test_it_names_the_run_and_the_cell_to_repeat(scenario, cell):
    """Somebody with three runs in a notebook knows which of them to send again."""
    meta = Meta(name="with retries", scenario=scenario, rate_per_s=380, seconds=6, cell=cell)
    error = NotMeasured(CAUSES, run=told_run(meta))
    told = " ".join(line.strip("│ ") for line in error._render_traceback_())
    assert "with retries" in told
    assert "with retries" in str(error)
    assert "380" in told
    assert ("[7]" in told) == (cell is not None)


@pytest.mark.parametrize("sent", [100, 50])
@pytest.mark.parametrize("beside", [0, 1])
def test_a_load_beside_is_told_of_a_run_that_does_not_count(sent, beside):
    """It may be the reason; a run that kept up nevertheless counts."""
    causes = causes_of(Records.of([], [], []), Meta(planned=100, sent=sent, beside=beside))
    assert bool(causes) == (sent == 50)
    assert (BESIDE in causes) == (sent == 50 and beside > 0)
