"""The live service against queueing theory."""

import pytest

from bpdemo.lab.lessons.shared.durations import is_short, seconds
from bpdemo.lab.services.service import serve
from bpdemo.load.loads import load
from bpdemo.sim.theory import mmck
from tests.support.measured import measured

pytestmark = [pytest.mark.load, pytest.mark.long]

WORKERS, CAPACITY, SERVICE_S = 4, 10, 0.04


@pytest.mark.timeout(300)
@pytest.mark.parametrize("times", [0.8, 1.2, 2])
def test_the_share_refused_is_that_of_mmck(times):
    """4 workers, 10 places, exponential service: refusals agree with M/M/c/K within 3 points.

    In the short profile a run is shorter, and its own scatter is allowed for.
    """
    rate = times * WORKERS / SERVICE_S
    theory = mmck(rate, 1 / SERVICE_S, WORKERS, WORKERS + CAPACITY)
    with serve(
        "protected", where="process", workers=WORKERS, queue_capacity=CAPACITY,
        payment_latency_s=SERVICE_S, payment_latency_distribution="exponential",
        store_latency_s=0, attempt_timeout_s=0, request_timeout_s=0,
    ) as service:  # fmt: skip
        run = measured(lambda: load(service, rate=rate, seconds=seconds(60), client_timeout_s=5))
    refused = run.summary["shed_per_s"] / run.summary["offered_per_s"]
    allowed = 0.05 if is_short() else 0.03
    assert abs(refused - theory.blocking_probability) <= allowed, (refused, theory)
