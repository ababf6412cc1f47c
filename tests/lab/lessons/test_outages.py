"""What a run tells of an outage of the payment."""

import math

import numpy as np
import pytest

from bpdemo.lab.lessons.open_time import open_time_figure, open_times
from bpdemo.lab.lessons.outages import (
    back_after_s,
    browsers_served,
    outage,
    p99_to_answer_ms,
    payment_calls,
    trial_requests,
)
from bpdemo.lab.services.service import serve
from bpdemo.lab.services.simulation import simulate
from bpdemo.load.run import LoadRun
from bpdemo.plan.fates import FAILED, OK, SHED
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records, Samples

KNOBS = {
    "workers": 4,
    "attempt_timeout_s": 0.2,
    "retry_attempts": 1,
    "breaker_min_calls": 10,
    "breaker_window_s": 1,
    "breaker_open_s": 1,
}


def run_of(t_s, fate, latency_s=0.04, samples=None, **meta) -> LoadRun:
    return LoadRun(
        Records.of(t_s, np.broadcast_to(latency_s, np.shape(t_s)), fate),
        samples or Samples.none(),
        Meta(seconds=10, **meta),
    )


def test_the_return_is_when_nine_of_ten_are_sold():
    """Sold again from 6.3 s on, two and a bit after the payment's return; never is infinite."""
    t_s = np.arange(0.05, 10, 0.1)
    sold_late = np.where((t_s > 2) & (t_s < 6.3), SHED, OK)
    assert back_after_s(run_of(t_s, sold_late), 4) == pytest.approx(2.3)
    assert back_after_s(run_of(t_s, np.full(100, SHED)), 4) == math.inf


def test_the_time_to_a_refusal_is_that_of_refusals_alone():
    """A slow sale and a refusal before the outage say nothing of it."""
    run = run_of([1, 3, 4, 5], [SHED, OK, SHED, SHED], [9, 9, 0.002, 0.002])
    assert p99_to_answer_ms(run, 2, 6) == pytest.approx(2)
    assert math.isnan(p99_to_answer_ms(run, 2, 6, "failed"))


def test_what_is_broken_between_two_openings_were_probes():
    """Those before the first opening taught the breaker; three and two came after it."""
    states = [0, 0, 2, 2, 1, 2, 2, 1, 2, 1, 0]
    samples = Samples.of([(t, 0, 8, 4, 0, state, 0) for t, state in enumerate(states)])
    broken_s = [1.0, 1.5, 4.1, 4.2, 4.3, 7.1, 7.2]
    assert trial_requests(run_of(broken_s, np.full(7, FAILED), samples=samples)) == [3, 2]


def test_who_looked_and_was_refused_is_told_from_who_saw():
    """Answers are cache results, or the status of a refusal."""
    run = run_of([1], [OK], browse={"answers": {"hit": 70, "miss": 20, "503": 10}})
    assert browsers_served(run) == pytest.approx(0.9)


def test_an_outage_hangs_and_ends():
    """The breaker opens in it, asks three at a time, and closes after it."""
    run = simulate(KNOBS, times=0.6, seconds=14, changes=outage(3, 10))
    assert set(trial_requests(run)) == {3}
    assert run.between(12, 14)["served_share"] == 1
    assert [text for _, text in run.meta.marks] == ["payment hangs", "payment takes 40 ms"]


@pytest.mark.load
@pytest.mark.light
def test_a_service_tells_how_its_payment_calls_ended():
    """One that worked, one that failed at both its attempts."""
    with serve(name="counted", workers=1, retry_attempts=2, retry_base_s=0) as service:
        service.post("/orders", {"item_id": 1, "quantity": 1})
        service.tune(payment_outage=True)
        service.post("/orders", {"item_id": 1, "quantity": 1})
        calls = payment_calls(service).loc["counted"]
    assert (calls["success"], calls["failure"], calls["retries"]) == (1, 2, 1)
    assert calls["rejected"] == calls["timeout"] == calls["retries denied"] == 0


def test_the_price_of_a_short_and_of_a_long_open_time():
    """Short: more customers sacrificed. Long: back later. The title tells both."""
    short, long = measured = open_times(KNOBS, [1, 4])
    assert short.sacrificed_per_min > 2 * long.sacrificed_per_min
    assert short.back_s < long.back_s <= 4 + 1
    title = open_time_figure(measured).layout.annotations[0].text
    assert f"back {long.back_s:.1f} s late" in title
