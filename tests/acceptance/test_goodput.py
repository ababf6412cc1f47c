"""What the workshop promises, measured on the real service under a real load."""

import pytest

from bpdemo.lab.durations import seconds
from bpdemo.lab.loads import load
from bpdemo.lab.service import serve
from tests.acceptance.measuring import measured

pytestmark = pytest.mark.load

#: Times capacity → the least share of capacity that must be sold within 500 ms.
PROMISED = {1: 0.90, 2: 0.97, 5: 0.97, 10: 0.97, 20: 0.90}


@pytest.mark.parametrize("times", PROMISED)
def test_the_protected_service_sells_its_capacity_whatever_is_offered(times):
    """Goodput stays at capacity, quickly, and every refusal says why and when to come back."""
    with serve(
        "protected", where="process", workers=8, payment_latency_s=0.04, store_latency_s=0,
        queue_capacity=8,
    ) as service:  # fmt: skip
        processes = 1 if times <= 10 else 2
        run = measured(lambda: load(service, times=times, seconds=seconds(15), processes=processes))
        refusals = service.metrics().query("name == 'bpdemo_rejected_total'")
    summary = run.summary
    assert summary["goodput_share"] >= PROMISED[times], run.sentence
    assert summary["p99_ms"] < 150, run.sentence
    assert summary["failed_per_s"] == 0, run.reasons
    assert set(run.reasons) <= {"queue_full"}, run.reasons
    assert refusals.value.sum() >= run.reasons.get("queue_full", 0)


def test_the_unprotected_service_sells_next_to_nothing_at_twice_its_capacity():
    """The naive service is busy all the time, for customers who have gone."""
    run_s = seconds(15)
    with serve(
        "unprotected", where="process", workers=8, payment_latency_s=0.04, store_latency_s=0
    ) as service:
        run = measured(lambda: load(service, times=2, seconds=run_s))
        busy = service.stats()["workers"]["busy"]
    assert run.between(run_s / 2, run_s)["goodput_share"] <= 0.05, run.sentence
    assert busy == 8


def test_after_a_storm_the_protected_service_is_back_at_once_and_the_other_is_not():
    """Ten times capacity with callers who retry; two seconds after it, half of capacity."""
    after = {}
    for profile in ("protected", "unprotected"):
        with serve(profile, where="process", workers=2, store_latency_s=0) as service:
            load(service, times=10, seconds=seconds(10), scenario="retry_storm")
            # The next load begins about two seconds after the storm's last order.
            after[profile] = measured(lambda s=service: load(s, times=0.5, seconds=seconds(8)))
    assert after["protected"].summary["sold_share"] >= 0.95, after["protected"].sentence
    assert after["unprotected"].summary["sold_share"] <= 0.1, after["unprotected"].sentence
