"""What a run would have served if its customers' timeouts had differed from each other."""

from __future__ import annotations

from math import erfc, log, sqrt
from typing import TYPE_CHECKING

from bpdemo.core.ranges import require_number
from bpdemo.core.slips import forgiving
from bpdemo.plan.fates import OK

if TYPE_CHECKING:
    from bpdemo.results.run import Run


@forgiving
def goodput_if_timeouts_differ(
    run: Run, *, median_s: float, sigma: float = 0.5, after_s: float = 0.0
) -> float:
    """Answers in time as a share of capacity, with client timeouts drawn from a lognormal.

    Half of the timeouts are longer than `median_s`; `sigma` is the spread of their logarithm (at
    0.5, one in six is below 0.6 of the median, and one in six above 1.65 of it). An answer counts
    by the probability that its customer's timeout was longer than its latency: the mean over all
    draws, without drawing. Holds for a service that does not hear of timeouts (no deadline, no
    drop on disconnect), in a `run` whose own `client_timeout_s` is longer than any wait in it.
    """
    require_number("median_s", median_s, 0.001, 3600)
    require_number("sigma", sigma, 0.001, 10)
    require_number("after_s", after_s, 0, run.meta.seconds)
    records, seconds = run.records, run.meta.seconds - after_s
    answered = records.latency_s[(records.fate == OK) & (records.t_s >= after_s)]
    in_time = sum(_still_waits(latency_s, median_s, sigma) for latency_s in answered.tolist())
    return float(in_time / seconds / run.summary["capacity_per_s"])


def _still_waits(latency_s: float, median_s: float, sigma: float) -> float:
    """The probability that a timeout is longer than `latency_s`."""
    if latency_s <= 0:
        return 1.0
    return 0.5 * erfc(log(latency_s / median_s) / (sigma * sqrt(2)))
