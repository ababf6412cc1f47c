"""Work done beside orders sold: shares over time, from looks at what the workers finished."""

import pytest

from bpdemo.lab import LoadRun, serve
from bpdemo.lab.lessons.effort import Effort, watch_work
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records, Samples


def made_of(looks: list[tuple[float, float]]) -> Effort:
    """Ten seconds at a capacity of ten a second; what comes in the first second is sold."""
    t_s = [n / 10 for n in range(100)]
    fates = [0 if t < 1 else 1 for t in t_s]
    records = Records.of(t_s, 0.1, fates)
    meta = Meta(seconds=10, capacity_per_s=10)
    return Effort(LoadRun(records, Samples.none(), meta), looks)


def test_work_is_counted_between_two_looks():
    """A moment between two looks counts as if the work had gone on evenly."""
    effort = made_of([(0, 0), (4, 40), (10, 70)])
    assert effort.worked_share(0, 4) == pytest.approx(1.0)
    assert effort.worked_share(4, 10) == pytest.approx(0.5)
    assert effort.worked_share(2, 7) == pytest.approx((55 - 20) / 50)


def test_the_sentence_and_the_picture_tell_both():
    """All the work goes on while nothing is sold: two lines, and both numbers as title."""
    effort = made_of([(0, 0), (10, 100)])
    assert (
        effort.sentence == "In the second half, work done 100% of capacity, goodput 0% of capacity"
    )
    figure = effort.figure()
    sold, done = (list(line.y) for line in figure.data)
    assert done == pytest.approx([1.0] * 10)
    assert sold == pytest.approx([1.0] + [0.0] * 9)


@pytest.mark.load
@pytest.mark.light
def test_the_workers_jobs_are_those_of_the_service():
    """A real load within capacity: as many jobs are finished as orders are sold."""
    with serve(workers=2, name="watched") as service:
        effort = watch_work(service, times=0.5, seconds=3)
        done = effort.looks[-1][1]
    sold = effort.run.summary["goodput_per_s"] * 3
    assert 0.8 * sold <= done <= sold + 0.5
