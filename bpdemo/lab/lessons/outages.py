"""A payment that hangs and comes back, and what a run tells of it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from bpdemo.core.events import BREAKER_CODES
from bpdemo.core.ranges import require_choice, require_number
from bpdemo.core.slips import forgiving
from bpdemo.plan.changes import HANGS_S, Change
from bpdemo.plan.fates import FAILED, FATES, OK

if TYPE_CHECKING:
    import pandas as pd

    from bpdemo.lab.services.service import Service
    from bpdemo.load.run import LoadRun

__all__ = [
    "back_after_s",
    "browsers_served",
    "outage",
    "p99_to_answer_ms",
    "payment_calls",
    "trial_requests",
]

USUAL_S: Final = 0.04
BACK_SHARE: Final = 0.9
LOOK_S: Final = 0.5
STEP_S: Final = 0.1
OPEN: Final = BREAKER_CODES["open"]


@forgiving
def outage(start_s: float, end_s: float, usual_s: float = USUAL_S) -> list[Change]:
    """Changes for `load` and `simulate`: the payment takes the call and does not answer.

    It hangs and does not fail at once: that is the outage that hurts.
    """
    require_number("start_s", start_s)
    require_number("end_s", end_s, start_s)
    require_number("usual_s", usual_s)
    return [
        (start_s, {"payment_latency_s": HANGS_S * 60}),
        (end_s, {"payment_latency_s": usual_s}),
    ]


@forgiving
def p99_to_answer_ms(run: LoadRun, start_s: float, end_s: float, fate: str = "shed") -> float:
    """p99 of the time to an answer, over the orders of one fate; NaN if there were none."""
    require_number("start_s", start_s, 0, run.meta.seconds)
    require_number("end_s", end_s, start_s, run.meta.seconds)
    require_choice("fate", fate, FATES)
    records = run.records
    among = (records.t_s >= start_s) & (records.t_s < end_s) & (records.fate == FATES.index(fate))
    waited_s = records.latency_s[among]
    return float(np.percentile(waited_s, 99)) * 1000 if len(waited_s) else float("nan")


@forgiving
def back_after_s(run: LoadRun, since_s: float) -> float:
    """Seconds after `since_s` until nine of ten orders are served again; infinite if never."""
    require_number("since_s", since_s, 0, run.meta.seconds)
    records = run.records
    for start_s in np.arange(since_s, run.meta.seconds - LOOK_S + STEP_S / 2, STEP_S):
        fates = records.fate[(records.t_s >= start_s) & (records.t_s < start_s + LOOK_S)]
        if len(fates) and np.mean(fates == OK) >= BACK_SHARE:
            return float(start_s - since_s)
    return float("inf")


@forgiving
def trial_requests(run: LoadRun) -> list[int]:
    """How many orders failed between one opening of the payment's breaker and the next.

    Each of them was a trial request: all others were rejected at admission.
    """
    records, samples = run.records, run.samples
    moves = np.flatnonzero(np.diff(samples.breaker_payment) > 0) + 1
    openings = [samples.t_s[i] for i in moves if samples.breaker_payment[i] == OPEN]
    broken = records.t_s[records.fate == FAILED]
    return [
        int(np.count_nonzero((broken >= start) & (broken < end)))
        for start, end in pairwise(openings)
    ]


@forgiving
def browsers_served(run: LoadRun) -> float:
    """The share of those who only looked, and were answered, that saw their item."""
    answers: dict[str, int] = run.meta.browse.get("answers", {})
    if not sum(answers.values()):
        raise ValueError("run: nobody looked at an item in it. Give its load browse_per_s=50")
    refused = sum(count for answer, count in answers.items() if answer.isdigit())
    return 1 - refused / sum(answers.values())


@forgiving
def payment_calls(*services: Service) -> pd.DataFrame:
    """A row per service: its attempts at the payment by how they ended, and its retries."""
    from bpdemo.results.table import Table

    return Table({service.name: _calls(service) for service in services}).T


def _calls(service: Service) -> dict[str, int]:
    metrics = service.metrics()
    mine = metrics[metrics["dependency"] == "payment"]
    attempts = mine[mine["name"] == "bpdemo_attempts_total"]
    calls = dict(zip(attempts["outcome"], attempts["value"].astype(int), strict=True))
    calls["rejected"] = calls.pop("refused")  # the lessons' word for what the breaker does
    for told, name in (("retries", "retries"), ("retries denied", "retries_denied")):
        calls[told] = int(mine[mine["name"] == f"bpdemo_{name}_total"]["value"].sum())
    return calls
