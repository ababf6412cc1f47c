"""Totals of runs in virtual time, as they were before the loop, the crowd and the service were made
faster: anyone who makes them faster still changes no customer's fate.

Where the totals shall change, since the service does: `python -m tests.sim.test_golden_totals`.
"""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bpdemo.plan.fates import FATES
from bpdemo.sim.play import Play, play

TOTALS = Path(__file__).with_name("golden_totals.json")
SEEDS = range(20)
#: The load of the bench's growth section, at 0.9, 1.2 and 2 times capacity.
GROWTH: dict[str, Any] = {
    "workers": 4, "queue_capacity": 10, "payment_latency_s": 0.04, "store_latency_s": 0.0,
    "payment_latency_distribution": "exponential", "request_timeout_s": 0, "attempt_timeout_s": 0,
}  # fmt: skip
TIMES = (0.9, 1.2, 2.0)

#: Settings and loads that between them use every discipline, policy and kind of customer.
WORLDS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({}, {"times": 2}),
    ({"payment_latency_distribution": "lognormal"}, {"times": 1.5, "scenario": "spike"}),
    ({"queue_discipline": "codel", "queue_capacity": 60}, {"times": 2, "send_deadline": True}),
    ({"queue_discipline": "lifo", "queue_capacity": 60}, {"times": 2, "browse_per_s": 40}),
    ({"queue_discipline": "adaptive_lifo", "payment_failure_rate": 0.2},
     {"times": 1.1, "scenario": "retry_storm"}),
    ({"queue_discipline": "priority"}, {"times": 2, "priorities": {0: 1, 1: 4, 3: 1}}),
    ({"queue_policy": "block", "queue_block_timeout_s": 0.2}, {"times": 1.3, "send_keys": True}),
    ({"store_failure_rate": 0.1, "store_latency_s": 0.01, "payment_failure_rate": 0.3},
     {"times": 1, "send_keys": True, "retries": 2, "backoff": "retry_after", "retry_budget": 0.2}),
    ({"client_max_in_flight": 5, "max_in_flight": 30}, {"times": 2, "clients": {"a": 9, "b": 1}}),
    ({"workers": 4}, {"rate": 30, "scenario": "closed"}),
    ({"breaker_open_s": 1.0}, {"times": 1.2, "changes": [
        (1, {"payment_outage": True}), (2, {"payment_outage": False, "workers": 4})]}),
    ({"initial_stock": 3}, {"times": 1.5, "item_id": 7, "retries": 1, "backoff": "exponential"}),
)  # fmt: skip


def growth(seed: int) -> Play:
    times = TIMES[seed % len(TIMES)]
    return play(GROWTH, times=times, seconds=6, seed=seed, client_timeout_s=60)


def world(seed: int) -> Play:
    settings, load = WORLDS[seed % len(WORLDS)]
    return play(settings, **{"seconds": 4, "seed": seed} | load)


def totals(played: Play) -> dict[str, Any]:
    """What became of the customers, how long they waited in all, and how the service fared."""
    orders = played.orders
    return {
        "fates": {fate: [o.fate for o in orders].count(code) for code, fate in enumerate(FATES)},
        "answers": dict(sorted(Counter(f"{o.status} {o.reason}".strip() for o in orders).items())),
        "attempts": len(played.attempts_s),
        "waited_s": round(math.fsum(o.latency_s for o in orders), 6),
        "looks": played.meta().browse.get("answers", {}),
        "depths": sum(sample[1] for sample in played.samples),
        "busy": sum(sample[4] for sample in played.samples),
        "inside": sum(sample[7] for sample in played.samples),
    }


PLAYS = {"growth": growth, "world": world}


@pytest.mark.parametrize("kind", PLAYS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_totals_are_what_they_were(kind: str, seed: int) -> None:
    """Every fate and answer, the time waited, and what the samples saw."""
    golden = json.loads(TOTALS.read_text(encoding="utf-8"))
    assert totals(PLAYS[kind](seed)) == golden[kind][seed]


def test_the_goldens_tell_runs_apart() -> None:
    """No two of them are equal, and between them every fate befell somebody."""
    golden = json.loads(TOTALS.read_text(encoding="utf-8"))
    every = [json.dumps(total) for kind in PLAYS for total in golden[kind]]
    assert len(set(every)) == len(every) == 2 * len(SEEDS)
    for fate in FATES:
        assert any(total["fates"][fate] for kind in PLAYS for total in golden[kind]), fate


if __name__ == "__main__":
    made = {kind: [totals(play_it(seed)) for seed in SEEDS] for kind, play_it in PLAYS.items()}
    TOTALS.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
