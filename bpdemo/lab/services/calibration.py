"""`calibrate`: what this machine can do, measured once and kept.

Capacity is a property of the machine. The lessons speak of multiples of it only, and so the same
lesson tells the same story on a laptop and on a server, provided that the load generator can send
the highest multiple. So `workers` is chosen to fit what the machine can send.
"""

from __future__ import annotations

import time
from math import floor
from typing import Final

from bpdemo.core.counted import counted
from bpdemo.core.ranges import require_flag
from bpdemo.core.settings import Settings
from bpdemo.lab.services.machine import Calibration, learn, recalled, this_machine
from bpdemo.lab.services.measures import (
    loop_lag_p99_s,
    measured_capacity_per_s,
    send_rate_per_s,
    timer_tick_s,
)
from bpdemo.load.progress_line import ProgressText
from bpdemo.results.validity import LOOP_LAG_MAX_S

MOST_WORKERS: Final = 8
#: Lessons go up to ten times capacity, which may need half of what the machine can send.
HIGHEST_TIMES: Final = 10
SENDING_SHARE: Final = 0.5


def calibrate(force: bool = False, *, keeps: bool = True) -> Calibration:
    """Measure this machine, or recall what was measured on it before; `force` measures again.

    Takes about ten seconds, on a busy machine twice as long, and tells what it is doing. What was
    measured while the machine was busy with something else is used, but not kept; nor is anything
    without `keeps`.
    """
    require_flag("force", force)
    require_flag("keeps", keeps)
    kept = recalled()
    if kept is not None and not force:
        return kept
    found = _measure()
    learn(found, keeps=keeps and is_worth_keeping(found))
    return found


def is_worth_keeping(found: Calibration) -> bool:
    """Whether the machine had time for its timers, as far as they tell."""
    return found.loop_lag_p99_s <= LOOP_LAG_MAX_S


def _measure() -> Calibration:
    with ProgressText() as progress:
        progress.show("Measuring this machine, step 1 of 3: how fine are its timers?")
        tick_s = timer_tick_s()
        lag_s = loop_lag_p99_s()
        progress.show("Measuring this machine, step 2 of 3: how many orders a second can it send?")
        sent_per_s = send_rate_per_s()
        count = workers_for(sent_per_s)
        told = counted(count, "worker")
        progress.show(f"Measuring this machine, step 3 of 3: what can {told} serve?")
        capacity_per_s = measured_capacity_per_s(count)
    return Calibration(
        workers=count,
        capacity_per_s=round(capacity_per_s, 1),
        send_rate_per_s=round(sent_per_s),
        timer_tick_s=round(tick_s, 5),
        loop_lag_p99_s=round(lag_s, 5),
        measured_at=time.strftime("%Y-%m-%d %H:%M"),
        machine=this_machine(),
    )


def workers_for(send_rate_per_s: float) -> int:
    """As many as can be offered ten times their capacity with half of that send rate."""
    each_per_s = 1 / Settings().expected_service_s
    fitting = floor(SENDING_SHARE * send_rate_per_s / (HIGHEST_TIMES * each_per_s))
    return max(1, min(MOST_WORKERS, fitting))
