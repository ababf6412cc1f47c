"""What several processes tell is put together as if one had seen it all."""

import random
from typing import Any

import numpy as np
import pytest

from bpdemo.load.gathered import Gathered
from bpdemo.load.generator.childline import Tally
from bpdemo.load.run import LoadRun
from bpdemo.plan.fates import LATE, OK, SHED
from bpdemo.results.meta import Meta

FAST = [random.Random(1).uniform(0.01, 0.05) for _ in range(900)]
SLOW = [random.Random(2).uniform(0.2, 0.6) for _ in range(100)]


def chunk_of(latencies_s: list[float], fate: int = OK) -> dict[str, Any]:
    """What a process would report of that many orders and looks."""
    tally = Tally()
    for number, latency_s in enumerate(latencies_s):
        tally.add(number * 0.001, latency_s, 0.0, fate, 201, "", 1, "", "")
        tally.look("hit", latency_s)
    return {"orders": tally.take(), "looks": tally.take_looks(), "samples": []}


def p99_ms(gathered: Gathered) -> float:
    return LoadRun(gathered.records, gathered.samples, Meta(seconds=1)).summary["p99_ms"]


def test_percentiles_are_those_of_all_orders_and_no_average() -> None:
    """A process with fast answers and one with few slow ones: an average would be far off."""
    together, alone = Gathered(), [Gathered(), Gathered()]
    for own, latencies_s in zip(alone, (FAST, SLOW), strict=True):
        own.add(chunk_of(latencies_s))
        together.add(chunk_of(latencies_s))
    of_all_ms = float(np.percentile(FAST + SLOW, 99)) * 1000
    averaged_ms = sum(map(p99_ms, alone)) / 2
    assert p99_ms(together) == pytest.approx(of_all_ms, abs=0.1)
    assert together.browse["p99_ms"] == pytest.approx(of_all_ms, abs=0.1)
    assert abs(averaged_ms - of_all_ms) > 100


def test_counts_are_added_up() -> None:
    """Fates, looks, and what should have been sent and was."""
    gathered = Gathered()
    gathered.add(chunk_of(FAST))
    gathered.add(chunk_of(SLOW, LATE))
    gathered.add(chunk_of(SLOW, SHED))
    for planned, unsent, lag_s in ((900, 10, None), (200, 0, 0.004)):
        gathered.end(
            {"planned": planned, "unsent": unsent, "loop_lag_p99_s": lag_s, "clock_jump_s": 0.0}
        )
    facts = gathered.facts()
    assert gathered.counts == [900, 100, 100, 0]
    assert (facts["planned"], facts["sent"]) == (1100, 1090)
    assert facts["browse"]["answers"] == {"hit": 1100}
    assert facts["loop_lag_p99_s"] == 0.004
