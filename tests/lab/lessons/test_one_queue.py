"""The model of one queue says of a limit what the service says."""

from __future__ import annotations

import pytest

from bpdemo.core.settings import Settings
from bpdemo.flow.limiter import FixedLimit
from bpdemo.flow.limits.gradient2 import Gradient2
from bpdemo.lab import simulate
from bpdemo.lab.lessons.one_queue import goodput_by_minute

SERVICE_S, CAPACITY_PER_S = 0.042, 2 / 0.042


def modelled(limit: FixedLimit | Gradient2, times: float, minutes: int) -> list[float]:
    rate = times * CAPACITY_PER_S
    return goodput_by_minute(
        limit, lambda _: SERVICE_S, workers=2, rate_per_s=rate, minutes=minutes
    )


def test_below_and_above_capacity_it_serves_what_is_possible():
    """With a limit of six orders and two workers, at three loads."""
    for times in (0.5, 1.2, 3):
        assert min(modelled(FixedLimit(6), times, 3)) > 0.93


def test_a_limit_too_high_makes_everybody_late():
    """48 inside take a second, and callers wait for half of one."""
    assert max(modelled(FixedLimit(48), 2, 3)[1:]) < 0.05


@pytest.mark.slow
def test_gradient2_drifts_in_the_model_as_it_does_in_the_service():
    """Good for three minutes and gone after ten, in both."""
    model = modelled(Gradient2(4, low=1), 1.2, 12)
    drifts = Settings.unprotected(workers=2, limit_algorithm="gradient2")
    run = simulate(drifts, times=1.2, seconds=720, bin_s=30)
    service = [run.between(60 * m, 60 * m + 60)["goodput_of_possible"] for m in range(12)]
    for minutes in (model, service):
        assert min(minutes[:3]) > 0.9
        assert max(minutes[10:]) < 0.1
