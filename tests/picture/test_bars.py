"""Bars of fates, and how long buyers and the others waited."""

import math

import pytest

from bpdemo.lab import fate_bars, simulate
from bpdemo.load.run import LoadRun
from bpdemo.picture.palette import SIMULATED
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records, Samples
from bpdemo.results.waits import buyers_wait_ms, others_wait_ms

FACTS = {"workers": 4, "store_latency_s": 0}


def recorded(latency_s, fate) -> LoadRun:
    """One order a second for ten seconds, at a service that can serve one a second."""
    records = Records.of(range(10), latency_s, fate)
    return LoadRun(records, Samples.none(), Meta(seconds=10, capacity_per_s=1))


def test_each_bar_is_as_long_as_its_share_of_capacity():
    """Served, late, shed and failed stand one after the other, rows in the order given."""
    runs = {"naive": recorded(0.6, 1), "careful": recorded(0.1, [0, 2] * 5)}
    figure = fate_bars(runs)
    bars = {bar.name: list(bar.x) for bar in figure.data}
    assert bars == {
        "served": [0, 0.5],
        "late": [1, 0],
        "shed": [0, 0.5],
        "failed": [0, 0],
    }
    assert all(list(bar.y) == ["naive", "careful"] for bar in figure.data)
    title = figure.layout.annotations[0].text
    assert "naive 0%; careful 50%" in title


def test_the_first_moment_can_be_left_out():
    """What is judged is the settled part: before it an empty queue sells even the naive way."""
    run = recorded(0.1, [0] * 5 + [1] * 5)
    assert [bar.x[0] for bar in fate_bars({"run": run}, after_s=5).data][:2] == [0, 1]


def test_the_waits_are_those_of_buyers_and_of_the_others():
    """Two dots a row, at the very figures; who had no buyers has no dot for them."""
    settings = FACTS | {"queue_capacity": 4}
    run = simulate(settings, times=2, seconds=5)
    figure = fate_bars({"bounded": run, "nobody": recorded(0.5, 1)}, waits=True)
    buyers, others = figure.data[-2:]
    assert buyers.x[0] == buyers_wait_ms(run) > others.x[0] == others_wait_ms(run)
    assert math.isnan(buyers.x[1])
    assert others.x[1] == pytest.approx(500)


def test_waits_count_only_those_who_came_late_enough():
    """`after_s` looks at when an order came, `q` picks the percentile."""
    run = recorded([0.1] * 5 + [0.3] * 5, [0, 2] * 5)
    assert buyers_wait_ms(run, after_s=5) == pytest.approx(300)
    assert others_wait_ms(run, q=0) == pytest.approx(100)


def test_bars_of_simulated_runs_alone_say_so():
    """One real run among them, and the picture is no simulation."""
    virtual = simulate(FACTS, times=1, seconds=2)
    assert SIMULATED in [note.text for note in fate_bars({"a": virtual}).layout.annotations]
    mixed = fate_bars({"a": virtual, "b": recorded(0.1, 0)})
    assert SIMULATED not in [note.text for note in mixed.layout.annotations]
