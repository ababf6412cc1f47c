"""Goodput over load: a fresh service at each load, and the figure that tells what came of it."""

import contextlib
from dataclasses import replace

import plotly.io as pio
import pytest

from bpdemo.lab import seconds, simulate
from bpdemo.lab.lessons import sweeps
from bpdemo.lab.lessons.sweeps import Sweep, goodput_figure, sweep
from bpdemo.load.progress_line import ProgressText
from bpdemo.load.run import LoadRun
from bpdemo.picture.palette import TEXT_PX
from bpdemo.results.validity import NotMeasured

LOADS = (1, 2, 5)


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))


def simulated(name: str, **knobs: object) -> Sweep:
    knobs = {"workers": 4, "store_latency_s": 0} | knobs
    return Sweep(name, {times: simulate(knobs, times=times, seconds=5) for times in LOADS})


@pytest.mark.load
@pytest.mark.light
def test_each_load_meets_a_fresh_service():
    """What one run left behind does not weigh on the next: each begins with an empty queue."""
    found = sweep("unprotected", [2, 0.5], seconds=2, workers=2)
    assert list(found.runs) == [0.5, 2]
    assert found[2].meta.rate_per_s == pytest.approx(4 * found[0.5].meta.rate_per_s)
    assert found[0.5].frame["queue_depth"].iloc[0] < found[2].frame["queue_depth"].max() / 2
    assert found.goodput_share[0.5] == found[0.5].summary["goodput_share"]


def test_runs_that_are_known_need_not_be_made_again():
    """They take their place among the others, by load."""
    runs = simulated("protected").runs
    found = sweep("protected", [], known={2: runs[2], 1: runs[1]})
    assert list(found.runs) == [1, 2]
    assert found[2] is runs[2]


def test_a_sweep_is_called_by_its_profile_unless_told():
    """Two sweeps of one profile that differ in a knob need names of their own in a picture."""
    known = {1.0: simulate(seconds=1)}
    assert sweep("unprotected", [], known=known, queue_capacity=8).name == "unprotected"
    assert sweep("unprotected", [], known=known, name="bounded").name == "bounded"


def test_the_figure_names_its_lines_and_tells_the_last_load():
    """A line and a label each beside the best that is possible, the result as title."""
    sweeps = simulated("unprotected", queue_capacity=-1), simulated("protected", queue_capacity=8)
    figure = goodput_figure(*sweeps)
    assert list(figure.data[0].x) == [0, 1, 5]
    for line, drawn in zip(figure.data[1:], sweeps, strict=True):
        assert list(line.x) == pytest.approx(list(LOADS), rel=0.2)
        assert list(line.y) == list(drawn.goodput_share.values())
    words = " ".join(label.text for label in figure.layout.annotations)
    assert all(name in words for name in ("all it can serve", "unprotected", "protected"))
    first, last = (each.goodput_share[5] for each in sweeps)
    title = figure.layout.annotations[0].text.replace("</b><br><b>", " ")
    assert f"at 5× load: unprotected {first:.0%}; protected {last:.0%}" in title


def test_what_is_served_in_time_lies_on_the_line_of_what_is_possible():
    """At half of capacity nothing is lost, however many happened to come: the point says so."""
    run = simulate({"workers": 4}, times=0.5, seconds=5, seed=7)
    [point] = goodput_figure(Sweep("calm", {0.5: run})).data[1:]
    assert run.summary["served_share"] == 1
    assert abs(point.x[0] - 0.5) > 0.01
    assert point.y[0] == pytest.approx(point.x[0])


@pytest.mark.parametrize("share", [0.0, 0.08, 0.5, 1.0])
def test_the_name_of_a_line_does_not_lie_on_the_axis(monkeypatch, share):
    """Half a line of text to either side of it."""
    monkeypatch.setattr(
        Sweep, "goodput_share", property(lambda self: dict.fromkeys(self.runs, share))
    )
    figure = goodput_figure(simulated("no bound"))
    [name] = [one for one in figure.layout.annotations if one.text == "<b>no bound</b>"]
    panel_px = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    assert abs(name.y / figure.layout.yaxis.range[1] * panel_px + name.yshift) > TEXT_PX / 2


def test_one_busy_moment_spoils_the_whole_sweep():
    """`require_valid` gives the sweep if every run counts, and raises if one of them does not."""
    good = simulated("protected")
    assert good.require_valid() is good
    run = good[2]
    jumped = LoadRun(run.records, run.samples, replace(run.meta, virtual=False, clock_jump_s=30.0))
    with pytest.raises(NotMeasured):
        Sweep("protected", good.runs | {2: jumped}).require_valid()


@pytest.mark.parametrize(
    ("profile", "full_s", "lasts_s"),
    [("full", 20, 20), ("short", 20, 7), ("SHORT", 4, 2.5), (None, 4, 4)],
)
def test_the_short_profile_shortens_runs_but_not_to_nothing(monkeypatch, profile, full_s, lasts_s):
    """A third of the time, at least 2.5 s; unless told, a run has its full length."""
    monkeypatch.delenv("BPDEMO_PROFILE", raising=False)
    if profile is not None:
        monkeypatch.setenv("BPDEMO_PROFILE", profile)
    assert seconds(full_s) == pytest.approx(lasts_s)


def test_a_sweep_shows_itself(monkeypatch):
    """Displayed, it is the picture of goodput over load, with the figures as its text."""
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")
    found = simulated("protected")
    shown = found._repr_mimebundle_()
    assert any("plotly" in kind for kind in shown)
    assert shown["text/plain"].startswith("<Sweep protected, goodput of capacity by load: 1×: ")


def test_a_sweep_says_which_run_it_makes(monkeypatch):
    """It takes some seconds each."""
    told: list[str] = []
    monkeypatch.setattr(ProgressText, "show", lambda _, text: told.append(text))
    monkeypatch.setattr(sweeps, "serve", lambda *_, **__: contextlib.nullcontext())
    played = lambda _, times, seconds: simulate(times=times, seconds=1)  # noqa: E731
    monkeypatch.setattr(sweeps, "load_fresh", played)
    found = sweep("protected", [1, 2], seconds=3, name="bounded")
    assert {run.meta.name for run in found.runs.values()} == {"bounded"}
    assert told == ["Run 1 of 2: 1× capacity for 3 s", "Run 2 of 2: 2× capacity for 3 s"]
