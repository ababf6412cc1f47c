"""The lag of the loop is measured at all times, not only when the loop has time for it."""

import asyncio
import contextlib
import time

import pytest

from bpdemo.core.events import LoopLagged
from bpdemo.telemetry.lag import MAX_MISSED, LoopLagMeter
from tests.support.virtual import virtual


class Samples:
    def __init__(self):
        self.lags_s = []

    def observe(self, event, /):
        assert isinstance(event, LoopLagged)
        self.lags_s.append(event.lag_s)


@contextlib.asynccontextmanager
async def running(meter):
    task = asyncio.create_task(meter.run())
    await asyncio.sleep(0)  # its first timer is set
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@virtual
async def test_an_idle_loop_gives_a_sample_of_no_lag_every_interval():
    samples = Samples()
    meter = LoopLagMeter(samples)
    async with running(meter):
        await asyncio.sleep(60.05)
    assert len(samples.lags_s) == 600
    assert max(samples.lags_s) == pytest.approx(0, abs=1e-9)


async def test_a_stuck_loop_has_missed_every_timer_of_that_time():
    samples = Samples()
    meter = LoopLagMeter(samples, interval_s=0.02)
    async with running(meter):
        time.sleep(0.15)  # noqa: ASYNC251  # this is the very fault to be measured
        await asyncio.sleep(0.03)
    late = samples.lags_s[:6]
    assert late[0] >= 0.12
    assert late == sorted(late, reverse=True)


def test_after_a_long_sleep_of_the_machine_the_missed_timers_are_forgotten():
    samples = Samples()
    meter = LoopLagMeter(samples, interval_s=1.0)
    following = meter._tell_missed(due=1.0, now=1e6)
    assert len(samples.lags_s) == MAX_MISSED
    assert following == 1e6 + 1


def test_a_timer_that_fires_early_is_no_lag():
    samples = Samples()
    assert LoopLagMeter(samples, 1.0)._tell_missed(due=5.0, now=4.9999) == 6.0
    assert samples.lags_s == [0.0]


def test_an_interval_must_be_above_zero():
    with pytest.raises(ValueError, match="interval_s"):
        LoopLagMeter(Samples(), 0)
