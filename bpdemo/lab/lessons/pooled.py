"""`p99_two_ways`: what a percentile of several processes is, and what the mean of theirs is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bpdemo.core.slips import forgiving
from bpdemo.results.frame import accepted_latencies_ms

if TYPE_CHECKING:
    from bpdemo.results.run import Run


@forgiving
def p99_two_ways(runs: Sequence[Run]) -> dict[str, float]:
    """In ms: the mean of each run's own p99, and the p99 of all their answers together."""
    answers_ms = np.concatenate([accepted_latencies_ms(run.records) for run in runs])
    return {
        "mean of theirs": float(np.mean([run.summary["p99_ms"] for run in runs])),
        "of all answers": float(np.percentile(answers_ms, 99)),
    }
