"""Lines over an axis: names at their ends, points beside theory, a wall where one stands."""

import itertools
from typing import Any

import pytest

from bpdemo.lab import line_figure
from bpdemo.picture.palette import SIMULATED

Lines = dict[str, dict[float, float]]
AXES: dict[str, Any] = {"x": "places", "y": "served (share)"}


def test_each_line_stands_under_its_name_with_the_result_as_title():
    """Every value is drawn, every line is named at its right end, and no two look alike."""
    lines: Lines = {"obeys": {1: 1.0, 2: 1.0}, "ignores": {1: 1.0, 2: 2.0}}
    figure = line_figure(lines, title="One bends", **AXES)
    assert [dict(zip(t.x, t.y, strict=True)) for t in figure.data] == list(lines.values())
    assert len({(t.line.color, t.line.dash, t.marker.symbol) for t in figure.data}) == 2
    words = [label.text for label in figure.layout.annotations]
    assert words == ["<b>One bends</b>", "<b>obeys</b>", "<b>ignores</b>"]
    assert figure.layout.xaxis.title.text == "places"


def test_lines_that_end_together_have_names_apart():
    """Four lines with the same end: their names are a line of text apart, within the axis."""
    lines: Lines = {name: {0: 0.0, 1: 0.5} for name in "abcd"}
    figure = line_figure(lines, title="All alike", **AXES)
    heights = [label.y for label in figure.layout.annotations[1:]]
    low, high = figure.layout.yaxis.range
    per_px = (high - low) / (440 - figure.layout.margin.t - figure.layout.margin.b)
    assert min(b - a for a, b in itertools.pairwise(heights)) >= 16 * per_px
    assert low <= min(heights) < max(heights) <= high


def test_points_take_the_colour_of_the_line_of_their_name():
    """Measured points have markers only, the line they are held against has none."""
    lines: Lines = {"room for 0": {1: 0.3, 2: 0.5}, "room for 10": {1: 0.1, 2: 0.5}}
    figure = line_figure(lines, title="As theory", points={"room for 10": {1: 0.12}}, **AXES)
    drawn = [(trace.mode, trace.line.color) for trace in figure.data]
    assert [mode for mode, _ in drawn] == ["lines+markers", "lines", "markers"]
    assert drawn[1][1] == drawn[2][1] != drawn[0][1]


def test_a_wall_is_drawn_and_named():
    """What matters on the axis stands above the picture, where no line runs."""
    figure = line_figure({"a": {0: 1, 9: 0}}, title="A cliff", wall=(5, "cliff = 5"), **AXES)
    assert [shape.x0 for shape in figure.layout.shapes] == [5]
    assert figure.layout.annotations[-1].text == "<b>cliff = 5</b>"


def test_more_lines_than_can_be_told_apart_are_refused():
    """Four styles, four lines; and a picture of nothing is a mistake."""
    with pytest.raises(ValueError, match="from 1 to 4"):
        line_figure({str(n): {0: 0, 1: 1} for n in range(5)}, title="Too many", **AXES)
    with pytest.raises(ValueError, match="from 1 to 4"):
        line_figure({}, title="Nothing", **AXES)


def test_a_line_through_many_points_goes_without_markers():
    """A series over time stays a line that the eye can follow."""
    lines: Lines = {"few": {0: 0, 1: 1}, "many": dict.fromkeys(range(20), 1)}
    figure = line_figure(lines, title="Over time", **AXES)
    assert [trace.mode for trace in figure.data] == ["lines+markers", "lines"]


@pytest.mark.parametrize("simulated", [True, False])
def test_lines_of_virtual_time_say_so_in_the_corner(simulated: bool) -> None:
    """And lines that were measured do not."""
    figure = line_figure({"one": {0: 1, 1: 2}}, title="a title", x="x", y="y", simulated=simulated)
    assert (SIMULATED in [note.text for note in figure.layout.annotations]) == simulated
