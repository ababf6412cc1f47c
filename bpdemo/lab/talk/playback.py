"""A recorded run, played again as time goes by."""

from __future__ import annotations

import time
from dataclasses import fields, replace

import numpy as np

from bpdemo.load.run import LoadRun
from bpdemo.results.records import Samples


class Playback:
    """`now()` gives the run as far as it had come by this time."""

    def __init__(self, run: LoadRun) -> None:
        self.run = run
        self._begun_s = time.monotonic()

    @property
    def now_s(self) -> float:
        return time.monotonic() - self._begun_s

    @property
    def is_over(self) -> bool:
        return self.now_s >= self.run.meta.seconds

    def now(self) -> LoadRun:
        return up_to(self.run, self.now_s)


def up_to(run: LoadRun, t_s: float) -> LoadRun:
    """What was known of `run` after `t_s`: whole bins, one of them at least."""
    bin_s = run.meta.bin_s
    end_s = min(run.meta.seconds, max(bin_s, t_s // bin_s * bin_s))
    seen = run.samples.t_s < end_s
    samples = Samples(**{f.name: getattr(run.samples, f.name)[seen] for f in fields(run.samples)})
    marks = tuple(mark for mark in run.meta.marks if mark[0] < end_s)
    records = replace(
        run.records.where(run.records.t_s < end_s),
        attempt_t_s=np.extract(run.records.attempt_t_s < end_s, run.records.attempt_t_s),
    )
    return LoadRun(records, samples, replace(run.meta, seconds=end_s, marks=marks))
