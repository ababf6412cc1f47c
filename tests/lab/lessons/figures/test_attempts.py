"""Attempts in small bins: what a door must take in the same moment."""

import numpy as np

from bpdemo.lab import LoadRun
from bpdemo.lab.lessons.figures.attempts import attempt_peak, attempts_figure, attempts_in_bins
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records, Samples


def run_with(*attempt_t_s: float) -> LoadRun:
    records = Records.of([0.01], [0.04], [0], attempt_t_s=attempt_t_s)
    return LoadRun(records, Samples.none(), Meta(seconds=1))


def test_every_attempt_counts_in_its_own_bin():
    """First tries and retries alike, also those that come after the run's orders."""
    counts = attempts_in_bins(run_with(0.01, 0.02, 0.07, 1.51), until_s=2)
    assert counts[[0, 1, 30]].tolist() == [2, 1, 1]
    assert counts.sum() == 4


def test_the_peak_may_leave_out_the_beginning():
    """The opening crowd is no retry: the peak after it is that of the waves."""
    run = run_with(0.01, 0.02, 0.03, 0.61, 0.62)
    assert attempt_peak(run) == 3
    assert attempt_peak(run, after_s=0.5) == 2
    assert attempt_peak(run, after_s=5) == 0


def test_runs_are_drawn_on_the_same_axes():
    """A panel each, the same heights: a wave that is lower looks lower."""
    runs = {"in step": run_with(*[0.01] * 9), "apart": run_with(*np.arange(9) / 10)}
    figure = attempts_figure(runs, title="Nine at once, or one by one", until_s=1)
    assert [max(bar.y) for bar in figure.data] == [9, 1]
    assert figure.layout.yaxis.range == figure.layout.yaxis2.range
    words = [note.text for note in figure.layout.annotations]
    assert {"<b>in step</b>", "<b>apart</b>", "<b>Nine at once, or one by one</b>"} <= set(words)
