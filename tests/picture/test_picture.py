"""The picture shows what the frame holds, labelled at the line, and text never meets text."""

import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from bpdemo.lab.live.live_picture import COCKPIT
from bpdemo.lab.talk.talk import FORM as STAGE
from bpdemo.load.run import LoadRun
from bpdemo.picture.labels import levels, spread, width_of, wrapped
from bpdemo.picture.palette import FATE_COLOURS, FATE_PATTERNS, SIMULATED
from bpdemo.picture.picture import picture, refresh, side_by_side
from bpdemo.picture.report import Section, write_report
from bpdemo.picture.sheet import PAGE, Format
from bpdemo.plan.fates import FAILED, LATE, OK, SHED
from bpdemo.results.marks import marks_of
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records, Samples

WORDS = ["served", "late", "failed", "shed"]


def run_of(
    offered_per_s: int = 400, capacity_per_s: float | None = 200.0, name: str = "box"
) -> LoadRun:
    """Ten seconds, a quarter each of the fates, a queue that fills and a breaker that opens."""
    count = offered_per_s * 10
    fate = np.resize([OK, LATE, SHED, FAILED], count)
    t_s = np.arange(count) / offered_per_s
    look = np.arange(0, 10, 0.1)
    same = np.ones_like(look)
    workers, breaker = np.where(look < 7, 8, 16), np.where(look > 5, 2, 0)
    samples = np.column_stack([look, look * 3, same * 32, workers, same * 8, same * 0, breaker])
    meta = Meta(name=name, capacity_per_s=capacity_per_s, rate_per_s=offered_per_s)
    records = Records.of(t_s, np.where(fate == SHED, 0.001, 0.2), fate)
    return LoadRun(records, Samples.of(samples), meta)


def turned_by(run: LoadRun, *turns: tuple[float, float]) -> LoadRun:
    return LoadRun(run.records, run.samples, replace(run.meta, turns=turns))


def texts(figure: go.Figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def told(figure: go.Figure) -> str:
    return " | ".join(texts(figure))


def test_the_fates_are_stacked_in_their_colours_with_a_pattern_as_second_cue() -> None:
    """Ribbon and top panel each stack the four fates, served at the bottom."""
    figure = run_of().figure()
    areas = [trace for trace in figure.data if trace.stackgroup]
    assert [trace.name for trace in areas] == WORDS * 2
    for trace, fate in zip(areas, ["ok", "late", "failed", "shed"] * 2, strict=True):
        assert trace.fillcolor == FATE_COLOURS[fate]
        assert trace.fillpattern.shape == FATE_PATTERNS[fate]
    assert len(set(FATE_PATTERNS.values())) == 4


def test_ribbon_shares_always_make_a_hundred_percent() -> None:
    """However large the offer, its shares fill the ribbon."""
    shares = [t.y for t in run_of(4000).figure().data if (t.stackgroup or "").startswith("share")]
    assert np.sum(shares, axis=0) == pytest.approx(100)


@pytest.mark.parametrize("silent_s", [(0, 2), (4, 5), (8, 10)], ids=["first", "amid", "last"])
def test_a_second_without_a_request_is_none_in_which_nobody_was_served(
    silent_s: tuple[float, float],
) -> None:
    """The ribbon goes on with the shares of those who came."""
    run = run_of()
    from_s, until_s = silent_s
    t_s = run.records.t_s[(run.records.t_s < from_s) | (run.records.t_s >= until_s)]
    records = Records.of(t_s, np.full(len(t_s), 0.1), np.full(len(t_s), OK))
    figure = LoadRun(records, run.samples, run.meta).figure()
    served, *others = [t.y for t in figure.data if (t.stackgroup or "").startswith("share")]
    assert set(served) == {100}
    assert not np.any(others)


def test_the_top_panel_ends_at_1_3_times_capacity_and_an_arrow_tells_the_offer() -> None:
    """Twenty times capacity does not flatten what was served."""
    figure = run_of(4000).figure()
    assert tuple(figure.layout.yaxis2.range) == (0, 260)
    assert any(note.showarrow for note in figure.layout.annotations)
    assert "<b>offered 4,000/s</b> = 20× capacity" in texts(figure)


def random_run(multiple: float, seed: int, scenario: str = "steady") -> LoadRun:
    """Arrivals as they come, at random moments, so that no bin offers what was planned."""
    rng, capacity_per_s = np.random.default_rng(seed), 140.0
    rate_per_s = multiple * capacity_per_s
    t_s = np.sort(rng.uniform(0, 10, rng.poisson(rate_per_s * 10)))
    if scenario == "spike":
        t_s = t_s[(np.abs(t_s - 5) < 5 / 3) | (rng.random(t_s.size) < 0.1)]
    meta = Meta(scenario=scenario, capacity_per_s=capacity_per_s, rate_per_s=rate_per_s)
    fates = np.full(t_s.size, OK)
    return LoadRun(Records.of(t_s, np.full(t_s.size, 0.1), fates), run_of().samples, meta)


@pytest.mark.parametrize("scenario", ["steady", "spike"])
@pytest.mark.parametrize("multiple", [1.35, 1.5, 2.0, 3.0, 10.0])
@pytest.mark.parametrize("seed", range(5))
def test_title_and_arrow_tell_the_same_multiple(scenario: str, multiple: float, seed: int) -> None:
    """One figure for one thing, whatever the arrivals came to; the title has it in any case."""
    figure = random_run(multiple, seed, scenario).figure()
    assert len(set(re.findall(r"([\d.]+)×", told(figure)))) == 1
    assert any(note.showarrow for note in figure.layout.annotations)


@pytest.mark.parametrize("seed", range(5))
def test_a_load_that_was_stopped_tells_one_multiple(seed: int) -> None:
    """Its last orders leave some of the last bin empty: that is no load that falls."""
    whole = random_run(1.95, seed)
    records = whole.records.where(whole.records.t_s < 7.62)
    run = LoadRun(records, whole.samples, replace(whole.meta, seconds=7.8))
    assert min(run.frame["offered_per_s"]) < whole.summary["offered_per_s"] / 2
    assert len(set(re.findall(r"([\d.]+)×", told(run.figure())))) == 1


def test_an_offer_within_the_panel_needs_no_arrow() -> None:
    """At half of capacity the areas tell it all."""
    assert not any(note.showarrow for note in run_of(100).figure().layout.annotations)


def test_series_are_labelled_at_the_line_and_there_is_no_legend() -> None:
    """Every word stands beside or in what it names."""
    figure = run_of().figure()
    assert figure.layout.showlegend is False
    assert all(not trace.showlegend for trace in figure.data if not trace.stackgroup)
    for word in (
        *WORDS,
        "capacity",
        "p50",
        "p99",
        "client timeout 500 ms",
        "in queue",
        "busy workers",
    ):
        assert word in told(figure), word


def test_every_axis_tells_its_unit() -> None:
    """Orders per second, percent, milliseconds, jobs, seconds."""
    figure = run_of().figure()
    assert figure.layout.yaxis.ticktext == ("0%", "100%")
    assert "100 ms" in figure.layout.yaxis3.ticktext
    assert figure.layout.yaxis3.type == "log"
    assert {"requests per second", "time to answer", "jobs"} <= set(texts(figure))
    assert figure.layout.xaxis4.title.text == "seconds since the start"


@pytest.mark.parametrize("most", [8, 34, 40, 45, 120, 360, 400, 3600, 4000])
@pytest.mark.parametrize("form", [PAGE, COCKPIT, STAGE], ids=["page", "cockpit", "stage"])
def test_no_axis_has_the_0_alone(form: Format, most: int) -> None:
    """There is a second number, by which to read how high a line is, in a low panel, too."""
    rows = [[t_s, most, -1, 4, 4, 0, 0] for t_s in np.arange(0, 10, 0.1)]
    whole = run_of()
    run = LoadRun(whole.records, Samples.of(rows), whole.meta)
    figure = picture(run, tuple(form.rows), form)
    axis = figure.layout[figure.data[-1].yaxis.replace("y", "yaxis")]
    step = axis.dtick or plotlys_step(axis.range[1] / axis.nticks)
    assert step <= axis.range[1]


def plotlys_step(least: float) -> float:
    """Plotly's step between two numbers, at least so large: 2, 5 or 10 times a power of ten."""
    tens = 10.0 ** math.floor(math.log10(least))
    return next(step * tens for step in (2, 5, 10) if step * tens >= least)


def test_text_can_be_read_from_the_back_of_a_room() -> None:
    """No text is smaller than 16 pixels."""
    figure = run_of().figure()
    assert figure.layout.font.size >= 16
    assert min(note.font.size for note in figure.layout.annotations if note.text) >= 16


def test_the_title_is_the_sentence() -> None:
    """The result in words stands above the picture, broken into lines."""
    run = run_of()
    title = texts(run.figure())[-1].replace("</b><br><b>", " ")
    assert title == f"<b>box: {run.sentence}</b>"


def test_a_simulated_run_says_so_in_its_corner() -> None:
    """At the bottom right of its own column, below every panel; a real run says nothing."""
    real = run_of()
    virtual = LoadRun(real.records, real.samples, replace(real.meta, virtual=True))
    assert SIMULATED not in told(real.figure())
    for figure, columns in (
        (virtual.figure(), [1.0]),
        (side_by_side(virtual, real, names=("a", "b")), [0.55]),
        (side_by_side(virtual, virtual, names=("a", "b")), [0.55, 1.0]),
    ):
        notes = [note for note in figure.layout.annotations if note.text == SIMULATED]
        assert len(notes) == len(columns)
        for note, right in zip(notes, columns, strict=True):
            assert right - 0.06 < note.x <= right
            assert note.y < min(figure.layout[axis].domain[0] for axis in ("yaxis", "yaxis4"))


def test_a_run_without_capacity_still_has_a_picture() -> None:
    """Then the panel ends above the largest offer."""
    figure = run_of(capacity_per_s=None).figure()
    assert "<b>capacity</b>" not in told(figure)
    assert figure.layout.yaxis2.range[1] >= 400


@pytest.mark.parametrize(
    ("panels", "traces", "words"),
    [
        (["top"], 9, "requests per second"),
        (["middle"], 2, "time to answer"),
        (["bottom"], 3, "jobs"),
    ],
)
def test_it_can_be_built_panel_by_panel(panels: list[str], traces: int, words: str) -> None:
    """Each panel stands alone, with the time axis beneath it."""
    figure = run_of().figure(panels=panels)
    assert len(figure.data) == traces
    assert words in told(figure)
    assert "seconds since the start" in str(figure.layout)


def test_an_unknown_panel_is_named() -> None:
    """A misspelt panel is an error, not an empty picture."""
    with pytest.raises(ValueError, match="top, middle, bottom"):
        picture(run_of(), panels=("upper",))


def test_two_runs_side_by_side_share_their_axes() -> None:
    """Same scale for both, so that heights may be compared."""
    figure = side_by_side(run_of(400), run_of(100), names=("unprotected", "protected"))
    layout = figure.layout
    for left, right in ((1, 5), (2, 6), (3, 7), (4, 8)):
        ends = [layout[f"yaxis{n if n > 1 else ''}"].range for n in (left, right)]
        assert ends[0] == ends[1]
    assert "<b>unprotected</b><br>" in told(figure)
    assert "<b>protected</b><br>" in told(figure)


def test_marks_come_from_the_samples_and_by_hand() -> None:
    """A breaker that moved and a knob that turned are seen; a knob marked by hand once only."""
    run = run_of()
    found = marks_of(run.samples, run.meta)
    assert [text for _, text in found] == ["store breaker open", "workers 8 → 16"]
    by_hand = replace(run.meta, marks=((6.9, "twice the workers"),))
    assert [text for _, text in marks_of(run.samples, by_hand)] == [
        "store breaker open",
        "twice the workers",
    ]
    figure = run.marked((2.0, "payment fails")).figure()
    assert {"payment fails", "store breaker open", "workers 8 → 16"} <= set(texts(figure))


def test_a_live_picture_takes_new_data_in_place() -> None:
    """No trace is added: a front end that joins late would miss it."""
    live, later = run_of(100).figure(), run_of(4000)
    before = len(live.data)
    refresh(live, later)
    assert len(live.data) == before
    assert live.to_plotly_json()["layout"] == later.figure().to_plotly_json()["layout"]
    assert np.array_equal(live.data[0].y, later.figure().data[0].y)


def test_labels_are_pushed_apart_but_no_further_than_needed() -> None:
    """Lines that meet keep their order, and all labels stay in the panel."""
    assert spread([50, 50, 10], 20, 0, 100) == [50, 70, 10]
    assert spread([95, 99], 20, 0, 100) == [80, 100]
    assert spread([5.0], 20, 0, 100) == [5.0]


def test_text_of_a_mark_that_would_run_off_the_page_is_left_out() -> None:
    """Its line stays; half a word helps nobody."""
    late = run_of().marked((9.9, "a turn of a knob told at such length that no page would hold it"))
    assert not any("no page would hold it" in text for text in texts(late.figure()))
    assert len(late.figure().layout.shapes) == len(run_of().figure().layout.shapes) + 1


def test_text_of_marks_goes_to_the_first_free_line() -> None:
    """And nowhere, if there is none."""
    assert levels([(0, 50), (10, 60), (55, 80), (56, 90)], 2) == [0, 1, 0, None]


def test_a_sentence_is_broken_to_fit() -> None:
    """No line is wider than the room it has."""
    told = "a sentence of several words that is far too long"
    lines = wrapped(told, 160, 16)
    assert len(lines) > 1
    assert max(width_of(line, 16) for line in lines) <= 160
    assert " ".join(lines) == told


def test_a_displayed_run_is_its_picture_and_its_sentence() -> None:
    """What a notebook shows when a cell ends in a run."""
    run = run_of()
    assert run._repr_mimebundle_()["text/plain"] == run.sentence


class Links(HTMLParser):
    """Collects every address a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href")]


def test_a_report_needs_no_network(tmp_path: Path) -> None:
    """One file, Plotly's script once, nothing loaded from elsewhere, text escaped."""
    sections = [
        Section(
            "Unprotected", "It <collapsed>.", [("what", "n"), ("served", 3)], run_of().figure()
        ),
        Section("Protected", "It held.", figure=run_of(100).figure()),
    ]
    page = write_report(tmp_path / "report.html", "Sale day", sections).read_text("utf-8")
    links = Links()
    links.feed(page)
    assert links.found == ["data:,"]
    assert page.count("Plotly.newPlot(") == 2 + page.split("<body>")[0].count("Plotly.newPlot(")
    assert 3_000_000 < len(page) < 9_000_000
    assert "It &lt;collapsed&gt;." in page


def test_where_a_knob_changes_what_can_be_sold_the_dashed_line_jumps() -> None:
    """Level, fall, level, rise, level; its name stands where it ends, the scale stays put."""
    run = run_of()
    turned = turned_by(run, (4.0, 20.0), (7.0, 200.0))
    lines = [shape for shape in turned.figure().layout.shapes if shape.line.dash == "dash"]
    assert [(line.x0, line.x1, line.y0, line.y1) for line in lines] == [
        (0, 4, 200, 200), (4, 4, 200, 20), (4, 7, 20, 20), (7, 7, 20, 200), (7, 10, 200, 200),
    ]  # fmt: skip
    assert turned.figure().layout.yaxis2.range == run.figure().layout.yaxis2.range


def test_more_workers_raise_the_line_and_the_panel_with_it() -> None:
    """Up to four times the first capacity; beyond that the panel would show nothing else."""
    run = run_of()
    for capacity, top in ((500.0, 650.0), (9000.0, 1040.0)):
        turned = turned_by(run, (4.0, capacity))
        assert turned.figure().layout.yaxis2.range[1] == pytest.approx(top)


def test_a_load_under_way_has_no_retries_that_nobody_made() -> None:
    """Of the newest orders the attempts are known before their fates: nobody has tried again."""
    t_s = np.arange(0, 1, 0.01)
    done = Records.of(t_s[:60], np.full(60, 0.1), np.zeros(60), attempt_t_s=t_s)
    meta = Meta(seconds=1, bin_s=0.5, capacity_per_s=50.0, rate_per_s=100)
    said = told(picture(LoadRun(done, Samples.none(), meta)))
    assert "capacity" in said
    assert "with retries" not in said
