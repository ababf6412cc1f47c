"""Locust is killed in the middle of a load. A killed kernel: tests/acceptance/test_kernel_death."""

import os
import signal

import psutil
import pytest

from bpdemo.load.driver import Driver, LoadFailed
from bpdemo.plan.plan import Plan
from tests.faults.stand import on_trial
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.load,
    pytest.mark.light,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals as POSIX has them"),
]


def test_a_killed_generator_is_told_and_the_service_forgets_its_callers(monkeypatch, tmp_path):
    """One clear line instead of half a result, no process left, and the sale goes on."""
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    with on_trial(queue_capacity=20) as (server, _):
        others = server.books["received"]
        driver = Driver(server.url, Plan(rate_per_s=400, seconds=60))
        try:
            eventually(lambda: driver.heard_until_s > 0, "the load is under way", within_s=20)
            assert server.books["received"] > others
            child = psutil.Process(driver._children[0].pid)
            os.kill(child.pid, signal.SIGKILL)
            with pytest.raises(
                LoadFailed, match=r"the load generator ended early \(exit code -9\)"
            ):
                driver.wait(10)
        finally:
            driver.kill()
        assert not child.is_running()
