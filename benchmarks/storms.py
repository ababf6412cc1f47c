"""What clients do with a failure, in one storm: attempts, recovery, and orders lost.

Three slow seconds at 0.6 of capacity, three instant retries, the naive service, in virtual time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, cast

from benchmarks.measured import Table
from bpdemo.core.choices import RETRY_POLICIES, RetryPolicyName
from bpdemo.core.settings import Settings
from bpdemo.plan.fates import OK
from bpdemo.sim.play import Play, play

STORM_S, SLOW_S, STORM_AT_S = 280.0, 3.0, 10.0
#: Of a queue behind which the throttling of the SRE book is tried as well.
BOUND: Final = 16
EVERY_RETRY: Final = "every retry"
BOUNDED: Final = f"sre_throttling, a queue of {BOUND}"
POLICIES: Final = (EVERY_RETRY, *RETRY_POLICIES, BOUNDED)


class Storm(NamedTuple):
    """One of `POLICIES`, and a seed."""

    policy: str
    seed: int


def policies_table(seeds: Iterable[int], each: Callable[..., Iterable[list[float]]]) -> Table:
    """Every policy on every seed; `each` is `map`, or that of a pool of processes."""
    asked = [Storm(policy, seed) for policy in POLICIES for seed in seeds]
    columns: dict[str, list[list[float]]] = {policy: [] for policy in POLICIES}
    for storm, told in zip(asked, each(weather, asked), strict=True):
        columns[storm.policy].append(told)
    return table(columns)


def table(told: Mapping[str, list[list[float]]]) -> Table:
    """`told` has what `weather` tells, seed by seed, by the name of the policy."""
    return Table(
        title="Client policies in one storm",
        columns=["attempts an order", "recovered after, s", "lost, share"],
        rows={
            name: [list(column) for column in zip(*storms, strict=True)]
            for name, storms in told.items()
        },
        notes=f"Recovered after {STORM_S - STORM_AT_S - SLOW_S:g} s: not within the time for which "
        "it was watched.",
    )


def weather(storm: Storm) -> list[float]:
    """Attempts an order, seconds until it has recovered, and the share of orders lost."""
    run = _played(storm)
    orders = run.orders
    offered, ok = [0] * int(STORM_S + 1), [0] * int(STORM_S + 1)
    for order in orders:
        offered[int(order.t_s)] += 1
        ok[int(order.t_s)] += order.fate == OK
    well = [ok[s] >= 0.9 * offered[s] for s in range(int(STORM_S))]
    over = int(STORM_AT_S + SLOW_S)
    after = (s for s in range(over, len(well) - 2) if all(well[s : s + 3]))
    recovered_s = next(after, int(STORM_S)) - over
    return [len(run.attempts_s) / len(orders), float(recovered_s), 1 - sum(ok) / len(orders)]


def _played(storm: Storm) -> Play:
    slow: dict[str, Any] = {"payment_latency_s": 0.4}
    policy = {EVERY_RETRY: None, BOUNDED: "sre_throttling"}.get(storm.policy, storm.policy)
    capacity = BOUND if storm.policy == BOUNDED else -1
    return play(
        Settings.unprotected(seed=storm.seed, queue_capacity=capacity),
        times=0.6, seconds=STORM_S, retries=3, seed=storm.seed,
        retry_policy=cast("RetryPolicyName | None", policy),
        changes=[(STORM_AT_S, slow), (STORM_AT_S + SLOW_S, {"payment_latency_s": 0.04})],
    )  # fmt: skip
