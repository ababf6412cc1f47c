"""The measurements that a calibration is made of."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Final

import numpy as np

from bpdemo.lab.services.service import serve
from bpdemo.load.driver import drive
from bpdemo.load.run import LoadRun
from bpdemo.plan.plan import Plan
from bpdemo.results.validity import SEND_LAG_MAX_S

TICKS: Final = 50
#: From the top: eight workers need the first. A machine that manages it is done after one step.
LADDER: Final = (4000, 2900, 1950, 1000)
STEP_S: Final = 1.5


def timer_tick_s() -> float:
    """How late a sleep of a millisecond ends at worst, but for the worst tenth."""
    late = []
    for _ in range(TICKS):
        before = time.perf_counter()
        time.sleep(0.001)
        late.append(time.perf_counter() - before - 0.001)
    return float(np.percentile(late, 90))


def loop_lag_p99_s() -> float:
    """How late the timers of an idle event loop fire."""

    async def sample() -> list[float]:
        loop, late = asyncio.get_running_loop(), []
        for _ in range(TICKS):
            due = loop.time() + 0.01
            await asyncio.sleep(0.01)
            late.append(max(0.0, loop.time() - due))
        return late

    found: list[float] = []
    # A loop of its own, in a thread: a notebook's kernel has one running already.
    thread = threading.Thread(target=lambda: found.extend(asyncio.run(sample())))
    thread.start()
    thread.join()
    return float(np.percentile(found, 99))


def send_rate_per_s() -> float:
    """The highest of a few rates that is sent on time while another process answers.

    What answers is a service that refuses everything, at its own cost: just what a load of many
    times capacity meets.
    """
    with serve(
        "protected", where="process", name="calibration", workers=1, queue_capacity=0,
        payment_latency_s=3600, request_timeout_s=0, attempt_timeout_s=0,
    ) as service:  # fmt: skip
        for rate in LADDER:
            if sent_per_s := _sent_on_time(service.url, rate):
                return sent_per_s
    return LADDER[-1] / 2


def _sent_on_time(url: str, rate: float) -> float | None:
    gathered = drive(url, Plan(rate_per_s=rate, seconds=STEP_S, watch=False))
    records = gathered.records
    if not len(records) or float(np.percentile(records.send_lag_s, 99)) > SEND_LAG_MAX_S / 2:
        return None
    return len(records) / STEP_S


def measured_capacity_per_s(workers: int) -> float:
    """What the service sells when it is offered twice what it should be able to."""
    from bpdemo.load.loads import load

    with serve("protected", name="calibration", workers=workers, queue_capacity=8) as service:
        run: LoadRun = load(service, times=2, seconds=2.0)
    return run.between(0.5, 2.0)["goodput_per_s"]
