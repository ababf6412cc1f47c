"""How long people waited: those who bought, and those who got nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bpdemo.core.ranges import require_number
from bpdemo.core.slips import forgiving
from bpdemo.plan.fates import OK

if TYPE_CHECKING:
    from bpdemo.results.records import Column
    from bpdemo.results.run import Run


@forgiving
def buyers_wait_ms(run: Run, after_s: float = 0.0, q: float = 99) -> float:
    """What `q` of 100 buyers waited at most, of those who came after `after_s`; NaN if none."""
    require_number("after_s", after_s, 0, run.meta.seconds)
    require_number("q", q, 0, 100)
    records = run.records
    return _percentile_ms(records.latency_s[(records.fate == OK) & (records.t_s >= after_s)], q)


@forgiving
def others_wait_ms(run: Run, after_s: float = 0.0, q: float = 50) -> float:
    """The same of those who got nothing: how long until they were told, or hung up."""
    require_number("after_s", after_s, 0, run.meta.seconds)
    require_number("q", q, 0, 100)
    records = run.records
    return _percentile_ms(records.latency_s[(records.fate != OK) & (records.t_s >= after_s)], q)


def _percentile_ms(latency_s: Column, q: float) -> float:
    return float(np.percentile(latency_s, q)) * 1000 if len(latency_s) else float("nan")
