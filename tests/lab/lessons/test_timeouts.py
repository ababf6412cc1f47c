"""What a run would serve if timeouts differed: against a draw, and at the ends."""

import random

import pytest

from bpdemo.core.settings import Settings
from bpdemo.lab import simulate
from bpdemo.lab.lessons.timeouts import goodput_if_timeouts_differ


def patient_run(queue_capacity: int):
    """Twice the capacity, and customers who wait for whatever answer comes."""
    naive = Settings.unprotected(workers=8, queue_capacity=queue_capacity)
    return simulate(naive, times=2, seconds=8, client_timeout_s=60)


@pytest.mark.parametrize(("queue_capacity", "served"), [(32, 0.96), (61, 0.74), (87, 0.50)])
def test_where_timeouts_differ_the_cliff_is_a_slope(queue_capacity, served):
    """Full queues of 32, 61 and 87, timeouts with a median of 0.5 s: the figures of lesson 02."""
    run = patient_run(queue_capacity)
    found = goodput_if_timeouts_differ(run, median_s=0.5, after_s=4)
    assert found == pytest.approx(served, abs=0.02)


def test_it_is_the_mean_of_drawing_a_timeout_for_every_order():
    """The same by chance: each answer beside a timeout of its own."""
    run = patient_run(61)
    chance = random.Random(1)
    answered = run.records.latency_s[(run.records.fate == 0) & (run.records.t_s >= 4)]
    timeouts = (chance.lognormvariate(0, 0.5) * 0.5 for _ in range(20 * len(answered)))
    in_time = sum(latency < next(timeouts) for latency in answered for _ in range(20)) / 20
    drawn = in_time / 4 / run.summary["capacity_per_s"]
    assert goodput_if_timeouts_differ(run, median_s=0.5, after_s=4) == pytest.approx(
        drawn, abs=0.01
    )


def test_timeouts_that_hardly_differ_are_one_timeout():
    """With next to no spread the slope is the cliff again."""
    short, long = patient_run(61), patient_run(122)
    assert goodput_if_timeouts_differ(short, median_s=0.5, sigma=0.001, after_s=4) >= 0.98
    assert goodput_if_timeouts_differ(long, median_s=0.5, sigma=0.001, after_s=4) == 0
