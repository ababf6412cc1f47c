"""Text in pictures: none is cut at an edge, and none meets another, whatever the run."""

import itertools
from dataclasses import replace

import plotly.graph_objects as go
import pytest

from bpdemo.lab.lessons.figures.attempts import attempts_figure
from bpdemo.lab.live.live_picture import COCKPIT
from bpdemo.lab.talk.talk import FORM
from bpdemo.load.run import LoadRun
from bpdemo.picture.bars import fate_bars
from bpdemo.picture.labels import spread, width_of, wrapped
from bpdemo.picture.lines import line_figure
from bpdemo.picture.picture import picture, side_by_side
from bpdemo.picture.sheet import DOUBLE, PAGE, Format
from tests.picture.boxes import boxes
from tests.picture.runs import RUNS, run_of

FORMS = {"page": PAGE, "cockpit": COCKPIT, "talk": FORM}


def drawn(run: LoadRun, form: Format) -> go.Figure:
    return picture(run, ("top", "bottom") if form is FORM else ("top", "middle", "bottom"), form)


def require_whole(figure: go.Figure) -> None:
    """Every text lies within the figure."""
    for box in boxes(figure):
        assert box.left >= 0, box
        assert box.right <= figure.layout.width, box
        assert box.bottom >= 0, box
        assert box.top <= figure.layout.height, box


def require_apart(figure: go.Figure) -> None:
    """No text lies on another."""
    for one, other in itertools.combinations(boxes(figure), 2):
        assert not one.meets(other), (one, other)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", RUNS)
def test_no_label_is_cut_and_none_meets_another(kind: str, form: str) -> None:
    """In each format: labels of every length, many digits, two lines, an arrow with its number."""
    figure = drawn(RUNS[kind], FORMS[form])
    require_whole(figure)
    if form == "page":  # the panels of the others are lower than their three labels
        require_apart(figure)


@pytest.mark.parametrize("right", RUNS)
@pytest.mark.parametrize("left", ["usual", "far beyond", "large", "no limit, slow"])
def test_nothing_is_cut_where_two_stand_side_by_side(left: str, right: str) -> None:
    """The margins are narrower there: what does not fit takes a second line."""
    figure = side_by_side(RUNS[left], RUNS[right].named("with a long queue and no deadline"))
    require_whole(figure)
    require_apart(figure)


def test_every_label_fits_into_its_margin() -> None:
    """So that the left picture's labels end before the right one begins."""
    for run in RUNS.values():
        figure = side_by_side(run, run)
        ends = {axis.domain[1] * figure.layout.width for axis in figure.select_xaxes()}
        found = [(box, end) for box in boxes(figure) for end in ends if abs(box.left - end - 6) < 1]
        assert len(found) >= 2 * 6
        assert all(box.right <= end + DOUBLE.labels_px for box, end in found)


def test_a_cut_label_would_be_noticed() -> None:
    """The measure itself: a label on one line, where the margin is too narrow, is found."""
    figure = side_by_side(RUNS["usual"], RUNS["usual"])
    for note in figure.layout.annotations:
        note.text = note.text.replace("client timeout<br>", "client timeout ")
    with pytest.raises(AssertionError, match="client timeout 500 ms"):
        require_whole(figure)


def test_a_number_keeps_its_unit() -> None:
    """What is broken in two is broken before the number, never inside it."""
    figure = side_by_side(RUNS["usual"], RUNS["no limit, slow"])
    assert {"client timeout<br>500 ms", "client timeout<br>123.45 s"} <= {
        box.text for box in boxes(figure)
    }


def test_titles_of_every_figure_stay_within_it() -> None:
    """A long sentence takes as many lines as it needs, and the panels make room for it."""
    title = "A sentence that tells the result, and tells it at such length, MMMM by MMMM, " * 3
    runs = {"a rather long name of a service": RUNS["usual"], "short": RUNS["calm"]}
    lines = {name: {0.0: 1.0, 1.0: 2.0} for name in runs}
    for figure in (
        fate_bars(runs, title, waits=True),
        line_figure(lines, title=title, x="x", y="y", wall=(0.5, "wall")),
        attempts_figure(runs, title=title, until_s=5),
    ):
        heading = boxes(figure)[0]
        assert heading.text.count("<br>") >= 2
        assert (heading.left >= 0, heading.right <= figure.layout.width) == (True, True)
        assert heading.top <= figure.layout.height
        assert heading.bottom >= figure.layout.height - figure.layout.margin.t


def test_widths_know_bold_lines_and_letters() -> None:
    """Bold is wider, and only where it is; of two lines the longer counts; m is wider than i."""
    assert width_of("mm", 16) > 2 * width_of("ii", 16)
    assert width_of("<b>ab</b>cd", 16) == pytest.approx(
        width_of("ab", 16, bold=True) + width_of("cd", 16)
    )
    assert width_of("a<br>abc", 16) == width_of("abc", 16)
    assert wrapped("", 100, 16) == [""]
    assert wrapped("up to 500 ms, 3 s more", 60, 16) == ["up to", "500 ms,", "3 s", "more"]
    assert wrapped("incomprehensibilities a b", 40, 16) == ["incomprehensibilities", "a b"]


def test_taller_labels_are_pushed_further_apart() -> None:
    """Half of both heights lies between the middles of two neighbours, and all stay within."""
    assert spread([50, 50], [20, 40], 0, 100) == [50, 80]
    assert spread([95, 99], [40, 20], 0, 100) == [70, 100]
    assert spread([0, 100], [40, 40], 0, 100) == [0, 100]


@pytest.mark.parametrize("turned_to", [None, 16.0, 250.0])
def test_the_offer_is_a_multiple_of_the_capacity_that_is_named(turned_to: float | None) -> None:
    """ "2.0× capacity" beside another capacity than that of the label would be two figures for one
    thing: where a knob changed it, the offer is told in requests per second alone."""
    texts = [note.text or "" for note in picture(run_of(turned_to=turned_to)).layout.annotations]
    (offer,) = [text for text in texts if text.startswith("<b>offered")]
    assert ("× capacity" in offer) == (turned_to is None)


@pytest.mark.parametrize("lag_s", [0.0, 0.2])
def test_a_run_that_proves_nothing_says_so_in_its_picture(lag_s: float) -> None:
    """In the title of one, and in the heading of its own side of two."""
    run = run_of()
    count = len(run.records)
    facts = replace(run.meta, planned=count, sent=count, loop_lag_p99_s=lag_s)
    busy = LoadRun(run.records, run.samples, facts)
    for figure in (picture(busy), side_by_side(busy, run)):
        told = " ".join(note.text or "" for note in figure.layout.annotations)
        assert told.count("NOT MEASURED") == (1 if lag_s else 0)
