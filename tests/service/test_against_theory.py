"""The real service refuses the share that queueing theory says it must: M/M/c/K."""

import asyncio
from contextlib import suppress
from math import sqrt
from random import Random
from statistics import fmean, stdev

import pytest

from bpdemo.assembly.office import Assembly
from bpdemo.core.errors import QueueFull
from bpdemo.core.model import OrderRequest
from bpdemo.core.settings import Settings
from bpdemo.sim.theory import mmck
from tests.service.stage import now
from tests.support.examples import USUAL, examples
from tests.support.virtual import virtual

WORKERS, CAPACITY, MEAN_S = 4, 10, 0.04
WARM_UP = 500
#: In `make test` a quarter of them, and an interval twice as wide.
COUNTED = 7_500 * examples() // USUAL
SEEDS = range(8)
#: Two-sided 99 % of Student's t with seven degrees of freedom.
T_99 = 3.499


async def share_refused(times: float, seed: int) -> float:
    """Poisson arrivals at `times` capacity; the first ones only fill the queue."""
    settings = Settings(
        workers=WORKERS,
        queue_capacity=CAPACITY,
        payment_latency_s=MEAN_S,
        payment_latency_distribution="exponential",
        store_latency_s=0.0,
        request_timeout_s=0.0,
        attempt_timeout_s=0.0,
        seed=seed,
    )
    office = Assembly(settings, clock=now).office
    await office.start()
    intake, books, wanted = office.intake, office.intake.books, OrderRequest(1, 1)
    rng = Random(f"arrivals {seed}")
    rate_per_s = times * WORKERS / MEAN_S
    refused_at_first = 0
    for n in range(WARM_UP + COUNTED):
        if n == WARM_UP:
            refused_at_first = books.rejected
        with suppress(QueueFull):
            await intake.admit(intake.receive(""), wanted)
        await asyncio.sleep(rng.expovariate(rate_per_s))
    await office.drain(timeout_s=60.0)
    await office.stop()
    assert books.balanced
    assert books.success == books.admitted
    return (books.rejected - refused_at_first) / COUNTED


@pytest.mark.slow
@pytest.mark.parametrize(("times", "exactness"), [(0.8, 0.008), (1.2, 0.03), (2.0, 0.03)])
@virtual
async def test_the_share_refused_agrees_with_mmck(times: float, exactness: float) -> None:
    """K = workers + capacity = 14: theory lies within the confidence interval of eight seeds, and
    that interval is narrow enough to mean something."""
    theory = mmck(times * WORKERS / MEAN_S, 1 / MEAN_S, WORKERS, WORKERS + CAPACITY)
    shares = [await share_refused(times, seed) for seed in SEEDS]
    half_width = T_99 * stdev(shares) / sqrt(len(shares))
    assert half_width < exactness * sqrt(7_500 / COUNTED)
    assert abs(fmean(shares) - theory.blocking_probability) <= half_width
