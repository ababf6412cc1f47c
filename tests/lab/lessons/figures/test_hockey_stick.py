"""The hockey stick: the textbook's waits, and a point for what was measured."""

import pytest

from bpdemo.lab.lessons.figures import hockey_stick
from bpdemo.lab.lessons.figures.hockey_stick import HockeyStick, mean_wait


@pytest.mark.parametrize(
    ("utilisation", "wait"), [(0.5, 0.015), (0.8, 0.29), (0.9, 0.88), (0.95, 2.1), (0.99, 12)]
)
def test_eight_workers_wait_as_the_textbook_says(utilisation: float, wait: float):
    """M/M/8, in service times."""
    assert mean_wait(8, utilisation) == pytest.approx(wait, rel=0.06)


def test_one_worker_waits_load_over_what_is_left():
    """M/M/1: ρ ÷ (1 − ρ)."""
    assert mean_wait(1, 0.75) == pytest.approx(3)


def test_points_are_held_against_the_line_where_they_were_measured():
    """A point above the line by a half counts as a half; one at hardly any wait does not count."""
    exact = {2: {0.5: mean_wait(2, 0.5)}}
    points = {2: {0.05: 0.05, 0.5: mean_wait(2, 0.5), 0.8: 1.5 * mean_wait(2, 0.8)}}
    assert HockeyStick(exact, points).apart == pytest.approx(0.25)


def test_the_picture_has_a_line_and_points_for_each_number_of_workers(monkeypatch):
    """Its title says that the points are simulated; its axis ends where the lines bend."""
    monkeypatch.setattr(hockey_stick, "ORDERS", 100)
    figure = hockey_stick.hockey_stick().figure()
    assert [trace.mode for trace in figure.data] == ["lines", "markers"] * 3
    assert "points are simulated" in figure.layout.annotations[0].text
    assert figure.layout.yaxis.range[1] == 10
