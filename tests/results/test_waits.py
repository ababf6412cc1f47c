"""How long those waited who were served, and those who were not: never one for the other."""

import numpy as np
import pytest

from bpdemo.lab import simulate
from bpdemo.results.waits import buyers_wait_ms, others_wait_ms


@pytest.mark.parametrize("after_s", [0.0, 2.0])
def test_the_served_and_the_others_are_told_apart(after_s: float) -> None:
    """At three times capacity the served wait for a worker, and the rest hear at once."""
    run = simulate({"workers": 2, "queue_capacity": 4}, times=3, seconds=5)
    served = (run.records.fate == 0) & (run.records.t_s >= after_s)
    expected_ms = float(np.percentile(run.records.latency_s[served], 99)) * 1000
    assert buyers_wait_ms(run, after_s) == pytest.approx(expected_ms)
    assert buyers_wait_ms(run, after_s, 50) > 40
    assert others_wait_ms(run, after_s) < 1
