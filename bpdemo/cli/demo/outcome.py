"""What the demo measured at one service under the spike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from bpdemo.lab.services.service import Service
from bpdemo.load.run import LoadRun
from bpdemo.plan.fates import OK
from bpdemo.results.told_latency import told_latency

CALM_SHARE: Final = 0.95
CALM_BIN_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class SpikeOutcome:
    """One service under the spike, in the numbers of the verdict.

    `recovered_s` counts from the end of the spike until, from then on, 95% of what was offered
    was served; None if that was not seen. `charged_in_vain` were charged and not answered in time.
    """

    run: LoadRun
    charged_in_vain: int
    queued_at_end: int

    @property
    def spike(self) -> tuple[float, float]:
        return self.run.meta.seconds / 3, self.run.meta.seconds * 2 / 3

    @property
    def spike_share(self) -> float:
        """Goodput as a share of capacity while the spike lasts."""
        return min(1.0, self.run.between(*self.spike)["goodput_share"])

    @property
    def possible_share(self) -> float:
        """Goodput as a share of what was possible, over the whole load: the figure in the title of
        the picture, too."""
        return min(1.0, self.run.summary["goodput_of_possible"])

    @property
    def spike_p99(self) -> str:
        """p99 of those let in during the spike; who hung up gives only a lower bound."""
        p99_ms = self.run.between(*self.spike)["p99_ms"]
        if math.isnan(p99_ms):
            return "nobody was admitted"
        return told_latency(p99_ms, self.run.meta.client_timeout_s)

    @property
    def recovered_s(self) -> float | None:
        return recovery_s(self.run, self.spike[1])

    @property
    def watched_s(self) -> float:
        """How long it was watched after the spike."""
        return self.run.meta.seconds - self.spike[1]

    @property
    def work_left_s(self) -> float:
        """How long what is still in the queue will keep the workers busy."""
        return self.queued_at_end / (self.run.meta.capacity_per_s or math.inf)

    def count(self, fate: int) -> int:
        return int((self.run.records.fate == fate).sum())


def recovery_s(run: LoadRun, end_s: float) -> float | None:
    """Seconds from `end_s` to the end of the last quarter second that served too little."""
    after = run.records.where(run.records.t_s >= end_s)
    bins: dict[int, list[bool]] = {}
    for t_s, fate in zip(after.t_s, after.fate, strict=True):
        bins.setdefault(int((t_s - end_s) / CALM_BIN_S), []).append(bool(fate == OK))
    if not bins:
        return None
    bad = [place for place, served in bins.items() if sum(served) < CALM_SHARE * len(served)]
    last = max(bad, default=-1)
    return None if last == max(bins) else (last + 1) * CALM_BIN_S


def outcome_of(run: LoadRun, service: Service) -> SpikeOutcome:
    stats = service.stats()
    paid, served = stats["payments"], int((run.records.fate == OK).sum())
    start_s, end_s = run.meta.seconds / 3, run.meta.seconds * 2 / 3
    return SpikeOutcome(
        run.marked((start_s, "spike"), (end_s, "over")),
        max(0, paid["charged"] - paid["refunded"] - served),
        stats["queue"]["depth"],
    )
