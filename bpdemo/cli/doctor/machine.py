"""What the doctor looks at in the machine: can it measure honestly?"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from typing import Final

from bpdemo.cli.doctor.finding import Finding

TICK_MAX_S: Final = 0.005
LAG_MAX_S: Final = 0.020


def processors() -> Finding:
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    if count < 2:
        mend = "two are needed for honest figures: one for the service, one for the load"
        return Finding("processors", "warn", "1", mend)
    return Finding("processors", "ok", str(count))


def mains_power() -> Finding:
    import psutil  # of an extra

    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is None:
        return Finding("mains power", "ok", "no battery")
    if battery.power_plugged is False:
        mend = "plug it in: a machine that saves power measures something else every minute"
        return Finding("mains power", "warn", f"on battery, {battery.percent:.0f}%", mend)
    return Finding("mains power", "ok", "plugged in")


def timer_tick() -> Finding:
    tick_s = statistics.median(_slept_s(0.001) for _ in range(25))
    seen = f"a sleep of 1 ms takes {tick_s * 1000:.1f} ms"
    if tick_s > TICK_MAX_S:
        mend = "close what keeps the machine busy; short latencies will look longer than they are"
        return Finding("timer tick", "warn", seen, mend)
    return Finding("timer tick", "ok", seen)


def _slept_s(seconds: float) -> float:
    began_s = time.perf_counter()
    time.sleep(seconds)
    return time.perf_counter() - began_s


def event_loop_lag() -> Finding:
    lag_s = max(sorted(asyncio.run(_lags_s()))[:-1])
    seen = f"p98 of {lag_s * 1000:.1f} ms"
    if lag_s > LAG_MAX_S:
        mend = "close what keeps the machine busy: runs with a lag over 20 ms do not count"
        return Finding("event-loop lag", "warn", seen, mend)
    return Finding("event-loop lag", "ok", seen)


async def _lags_s() -> list[float]:
    loop, lags_s = asyncio.get_running_loop(), []
    for _ in range(60):
        due_s = loop.time() + 0.01
        await asyncio.sleep(0.01)
        lags_s.append(loop.time() - due_s)
    return lags_s


def share_in_use(over_s: float = 0.5) -> float:
    """Of all processors together, 0 to 1, while this process waits."""
    import psutil  # of an extra

    return float(psutil.cpu_percent(interval=over_s)) / 100
