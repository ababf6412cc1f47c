"""The pictures of lesson 10, and the percentile of several processes: what they tell is so."""

import numpy as np
import pandas as pd
import pytest

from bpdemo.lab import simulate
from bpdemo.lab.lessons.backlog_watch import BacklogWatch
from bpdemo.lab.lessons.bound import bound_figure
from bpdemo.lab.lessons.crew import crew_figure
from bpdemo.lab.lessons.pooled import p99_two_ways

BEGAN_S = 1000.0


def watched(depths):
    watch = BacklogWatch(None)
    watch.began_s, watch.depths = BEGAN_S, depths
    return watch


def orders(*at_s):
    return pd.DataFrame({"at_s": at_s, "outcome": "confirmed", "order_id": [str(s) for s in at_s]})


def texts(figure):
    return " ".join(note.text for note in figure.layout.annotations)


def test_each_order_stands_where_its_worker_ended_it():
    """The depth above, a lane for each worker below with its count, and the moment of the death."""
    kept = {"worker 1": orders(1001.0, 1002.0), "worker 2": orders(1001.5, 1004.0, 1009.0)}
    figure = crew_figure(
        watched({0.0: 0, 0.5: 5, 2.0: 3, 9.0: 0}), kept, killed_at_s=1002.5, title="All kept"
    )
    depth, first, second = figure.data
    assert (list(depth.x), list(depth.y)) == ([0.0, 0.5, 2.0, 9.0], [0, 5, 3, 0])
    assert list(first.x) == [1.0, 2.0]
    assert list(second.x) == [1.5, 4.0, 9.0]
    assert first.marker.color != second.marker.color
    assert {shape.x0 for shape in figure.layout.shapes} == {2.5}
    for text in ("worker 1: 2 orders", "worker 2: 3 orders", "killed", "All kept"):
        assert text in texts(figure)


def test_where_nobody_died_nothing_says_so():
    """Your own run, without a kill; and one in which nobody had anything to do."""
    kept = {"worker 1": orders()}
    figure = crew_figure(watched({0.0: 0, 1.0: 0}), kept, killed_at_s=None, title="Calm")
    assert not figure.layout.shapes
    assert "killed" not in texts(figure)


def test_the_bound_and_those_turned_away_are_lines_beside_the_backlog():
    """Refusals are counted up in the order in which they were sent."""
    sent = pd.DataFrame({"at_s": [1000.5, 1002.0, 1001.0], "status": [202, 503, 503]})
    figure = bound_figure(watched({0.0: 0, 1.0: 2, 3.0: 2}), sent, 2, title="Full")
    backlog, refused, room = figure.data
    assert list(backlog.y) == [0, 2, 2]
    assert (list(refused.x), list(refused.y)) == ([0.0, 1.0, 2.0, 3.0], [0, 1, 2, 2])
    assert list(room.y) == [2, 2]
    assert "capacity 2" in texts(figure)


def test_the_percentile_of_several_is_that_of_all_their_answers():
    """Weighed by how many went to each, which a mean of percentiles knows nothing of."""
    runs = [
        simulate({"workers": 8}, rate=98, seconds=10),
        simulate({"workers": 8, "payment_latency_s": 0.3}, rate=2, seconds=10),
    ]
    told = p99_two_ways(runs)
    alone = [run.summary["p99_ms"] for run in runs]
    assert told["mean of theirs"] == pytest.approx(np.mean(alone))
    every = np.concatenate([run.records.latency_s for run in runs]) * 1000
    assert told["of all answers"] == pytest.approx(np.percentile(every, 99))
    assert p99_two_ways(runs[:1])["of all answers"] == pytest.approx(alone[0])
