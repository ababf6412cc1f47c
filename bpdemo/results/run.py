"""`Run`: what was recorded of a load, to be asserted on and kept; it knows no picture."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bpdemo.core.box import calm
from bpdemo.core.kinds import fits
from bpdemo.core.members import NamesWhatItHas, forgiving_class
from bpdemo.core.slips import forgiving
from bpdemo.results import saved
from bpdemo.results.frame import bins_of, frame_of
from bpdemo.results.meta import Meta, Summary
from bpdemo.results.records import Column, Records, Samples
from bpdemo.results.sentence import sentence_of
from bpdemo.results.summary import summary_of
from bpdemo.results.validity import NotMeasured, causes_of, send_lag_p99_s, sentence_for, told_run

if TYPE_CHECKING:
    import pandas as pd


@forgiving_class
class Run(metaclass=NamesWhatItHas):
    """The outcome of a load, real or simulated.

    `frame` has a row per bin of `bin_s`, by intended send: `t_s` (where the bin begins);
    `offered_per_s`, `ok_per_s`, `late_per_s`, `shed_per_s`, `failed_per_s`,
    `attempts_per_s` (every try counted); `p50_ms`, `p95_ms`, `p99_ms` of the orders served
    or late; `queue_depth`, `workers_busy` (means), `queue_capacity` (-1 unbounded),
    `workers`; `breaker_payment`, `breaker_store` (0 closed, 1 half-open, 2 open); `limit` (mean; on
    orders in flight, 0 for none).
    """

    def __init__(
        self, records: Records, samples: Samples, meta: Meta, by: str | None = None
    ) -> None:
        self.records = records
        self.samples = samples
        self.meta = meta
        self._by = by

    @cached_property
    def frame(self) -> pd.DataFrame:
        return frame_of(self.records, self.samples, self.meta, self._by)

    @cached_property
    def bins(self) -> dict[str, Column]:
        """The columns of the whole run's frame, however `frame` is split; takes no pandas."""
        return bins_of(self.records, self.samples, self.meta)

    @forgiving
    def split(self, by: str) -> pd.DataFrame:
        """The frame with a row per bin and label of `by`: "client" or "priority"."""
        return frame_of(self.records, self.samples, self.meta, by)

    @cached_property
    def summary(self) -> Summary:
        """The run in numbers; `summary_of` says what each means."""
        return summary_of(self.records, self.meta)

    @forgiving
    def between(self, start_s: float, end_s: float) -> Summary:
        """The summary of a part of the run, such as the peak of a spike."""
        if not 0 <= start_s < end_s <= self.meta.seconds:
            raise ValueError(
                f"between needs 0 <= start_s < end_s <= {self.meta.seconds:g}, "
                f"not {start_s!r} and {end_s!r}"
            )
        return summary_of(self.records, self.meta, start_s, end_s)

    @property
    def reasons(self) -> dict[str, int]:
        """How many orders ended with which reason, the most frequent first."""
        counts = Counter(self.records.reason.tolist())
        return {reason: n for reason, n in counts.most_common() if reason}

    @property
    def mean_of_all_ms(self) -> float:
        """Mean time to an answer over *all* orders, refusals among them: a figure that misleads."""
        return float(self.records.latency_s.mean()) * 1000

    @property
    def send_lag_p99_ms(self) -> float:
        """How late the load itself was: p99 of actual minus intended send."""
        return send_lag_p99_s(self.records) * 1000

    @cached_property
    def sentence(self) -> str:
        return sentence_of(self.summary, self.meta)

    @cached_property
    def is_void(self) -> bool:
        """Whether the machine did not keep up with it; not yet, as long as nothing was planned."""
        return bool(self.meta.planned and causes_of(self.records, self.meta))

    def require_valid(self) -> Self:
        """This run, if the machine kept up with it; raises `NotMeasured` if not."""
        if causes := causes_of(self.records, self.meta):
            raise NotMeasured(causes, sentence_for(self.meta), told_run(self.meta))
        return self

    def named(self, name: str) -> Self:
        """The same run under another name, as it will stand above the picture."""
        return type(self)(self.records, self.samples, replace(self.meta, name=name), self._by)

    @forgiving
    def marked(self, *marks: tuple[float, str]) -> Self:
        """The same run with more vertical marks: (t_s, text)."""
        for mark in marks:
            if not fits(mark, tuple[float, str]):
                raise TypeError(f'marks must be pairs such as (4, "payment hangs"), not {mark!r}')
        meta = replace(self.meta, marks=(*self.meta.marks, *marks))
        return type(self)(self.records, self.samples, meta, self._by)

    @forgiving
    def save(self, path: str | Path) -> Path:
        """Write the run to `path` as JSON, gzipped if the name ends in .gz."""
        target = Path(path)
        try:
            saved.write(target, self.records, self.samples, self.meta)
        except OSError as error:
            calm(error)
            raise
        return target

    @classmethod
    @forgiving
    def open(cls, path: str | Path) -> Self:
        """A run that was saved; ValueError if the file is something else."""
        try:
            return cls(*saved.read(Path(path)))
        except OSError as error:
            calm(error)
            raise

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.meta.name}: {self.sentence}>"
