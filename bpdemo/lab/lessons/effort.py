"""`watch_work`: a real load, and beside what was served how much work was done for it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bpdemo.core.slips import forgiving
from bpdemo.lab.services.service import Service
from bpdemo.load.loads import RunningLoad, load
from bpdemo.picture.lines import Curve, line_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from bpdemo.load.run import LoadRun

LOOK_S: Final = 0.25
JOBS_WORKED_OFF: Final = "bpdemo_service_seconds_count"
"""Every job a worker has finished, also when nobody waits for it any more. The books do not tell
this: there a caller who left has ended the job, whatever the worker goes on to do."""

Looks = Sequence[tuple[float, float]]
"""(t_s, jobs processed so far), one for each look."""


@dataclass(frozen=True)
class Effort:
    """A run, and the jobs that were processed meanwhile."""

    run: LoadRun
    looks: Looks

    def worked_share(self, start_s: float, end_s: float) -> float:
        """Jobs finished from `start_s` to `end_s`, as a share of what the workers can do."""
        per_s = (self._jobs_at(end_s) - self._jobs_at(start_s)) / (end_s - start_s)
        return per_s / self.run.summary["capacity_per_s"]

    def served_share(self, start_s: float, end_s: float) -> float:
        """Requests served in time, as a share of the same."""
        return self.run.between(start_s, end_s)["goodput_share"]

    @property
    def sentence(self) -> str:
        """The result, from the second half of the run."""
        half = self.run.meta.seconds / 2, self.run.meta.seconds
        worked, served = self.worked_share(*half), self.served_share(*half)
        done, goodput = f"{worked:.0%} of capacity", f"{served:.0%} of capacity"
        return f"In the second half, work done {done}, goodput {goodput}"

    def figure(self) -> go.Figure:
        """Work done and goodput over time."""
        return line_figure(
            {"goodput": self._by_bin(self.served_share), "work done": self._by_bin()},
            title=self.sentence,
            x="seconds since the start",
            y="share of capacity",
            percent=True,
            runs=[self.run],
        )

    def require_valid(self) -> Effort:
        """This, if the machine kept up with the run; raises `NotMeasured` if not."""
        self.run.require_valid()
        return self

    def _by_bin(self, share: Callable[[float, float], float] | None = None) -> Curve:
        seconds = self.run.meta.seconds
        edges = np.linspace(0, seconds, max(2, round(seconds)) + 1)
        of_part = share or self.worked_share
        return {(a + b) / 2: of_part(a, b) for a, b in itertools.pairwise(edges.tolist())}

    def _jobs_at(self, t_s: float) -> float:
        times, jobs = zip(*self.looks, strict=True)
        return float(np.interp(t_s, times, jobs))


@forgiving
def watch_work(service: Service, **plan: Any) -> Effort:
    """`load(service, **plan)`, while counting the jobs that the workers finish."""
    under_way: RunningLoad = load(service, background=True, **plan)
    before, looks = _jobs(service), [(0.0, 0.0)]
    while not under_way.done:
        if under_way.now_s:
            looks.append((under_way.now_s, _jobs(service) - before))
        time.sleep(LOOK_S)
    return Effort(under_way.wait(), looks)


def _jobs(service: Service) -> float:
    # One line is read, not all of them: the service shares this process, and must not wait for it.
    lines = service.get("/metrics").raise_for_status().text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(JOBS_WORKED_OFF))
