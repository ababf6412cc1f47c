"""The real service refuses the share that queueing theory says it must: M/M/c/K."""

import asyncio
from itertools import count
from math import sqrt
from random import Random
from statistics import fmean, stdev

import pytest

from bpdemo.lab.theory import mmck
from tests.service.stage import Stage, close
from tests.support.virtual import virtual

WORKERS, CAPACITY, MEAN_S = 4, 10, 0.04
ARRIVALS, WARM_UP = 6_000, 500
SEEDS = range(6)
#: Two-sided 99.9 % of Student's t with five degrees of freedom.
T_999 = 6.87


def knobs(seed: int) -> dict[str, object]:
    return {
        "workers": WORKERS,
        "queue_capacity": CAPACITY,
        "payment_latency_s": MEAN_S,
        "payment_latency_distribution": "exponential",
        "store_latency_s": 0.0,
        "request_timeout_s": 0.0,
        "attempt_timeout_s": 0.0,
        "seed": seed,
    }


async def share_refused(times: float, seed: int) -> float:
    """Poisson arrivals at `times` capacity; the first ones only fill the queue."""
    stage = Stage(knobs(seed))
    await stage.office.start()
    rng = Random(f"arrivals {seed}")
    rate_per_s = times * WORKERS / MEAN_S
    arrivals = count()
    while (n := next(arrivals)) < ARRIVALS:
        if n == WARM_UP:
            received, rejected = stage.books.received, stage.books.rejected
        stage.comes()
        await asyncio.sleep(rng.expovariate(rate_per_s))
    await stage.everybody_answered()
    share = (stage.books.rejected - rejected) / (stage.books.received - received)
    await close(stage)
    return share


@pytest.mark.parametrize("times", [0.8, 1.2, 2.0])
@virtual
async def test_the_share_refused_agrees_with_mmck(times: float) -> None:
    """K = workers + capacity = 14: theory lies within the confidence interval of six seeds, and
    that interval is narrow enough to mean something."""
    theory = mmck(times * WORKERS / MEAN_S, 1 / MEAN_S, WORKERS, WORKERS + CAPACITY)
    shares = [await share_refused(times, seed) for seed in SEEDS]
    half_width = T_999 * stdev(shares) / sqrt(len(shares))
    assert half_width < 0.05
    assert abs(fmean(shares) - theory.blocking_probability) <= half_width


@virtual
async def test_the_test_would_notice_another_k() -> None:
    """One place more or less is outside the interval where most depends on it."""
    shares = [await share_refused(1.2, seed) for seed in SEEDS]
    half_width = T_999 * stdev(shares) / sqrt(len(shares))
    # At such a load a single place weighs little; four do not.
    other = mmck(1.2 * WORKERS / MEAN_S, 1 / MEAN_S, WORKERS, WORKERS + CAPACITY - 4)
    assert abs(fmean(shares) - other.blocking_probability) > half_width
