"""When a service serves again, and how many orders that took."""

from __future__ import annotations

from typing import Final

from bpdemo.core.slips import forgiving
from bpdemo.load.run import LoadRun
from bpdemo.plan.fates import OK

SERVED_AGAIN: Final = 0.9


@forgiving
def served_by_second(run: LoadRun) -> dict[float, float]:
    """For `line_figure`: the end of each second → the share that was served of the orders that came
    in it."""
    return {
        float(end_s): run.between(end_s - 1, end_s)["served_share"]
        for end_s in range(1, int(run.meta.seconds) + 1)
    }


@forgiving
def recovered_after_s(run: LoadRun, from_s: float, to_s: float | None = None) -> float:
    """How long after `from_s` the service serves again, and goes on doing so until `to_s`, the end
    of the run unless given: at least 90% of the orders of each second. The whole time if it never
    does."""
    end_s = run.meta.seconds if to_s is None else to_s
    served = [
        run.between(from_s + i, from_s + i + 1)["served_share"]
        for i in range(round(end_s - from_s))
    ]
    bad = [i for i, share in enumerate(served) if share < SERVED_AGAIN]
    return float(bad[-1] + 1) if bad else 0.0


@forgiving
def lost(run: LoadRun, from_s: float) -> int:
    """How many orders from `from_s` on were not served in time."""
    records = run.records
    return int(((records.t_s >= from_s) & (records.fate != OK)).sum())
