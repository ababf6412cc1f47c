"""What keeps a service stuck when its trigger has gone: four sustaining effects, each in a service
in which it is alone, with what removes it.

After the two-by-two of Huang et al., *Metastable Failures in the Wild* (OSDI 2022): a trigger takes
capacity away, and then more work for each order, or less use of each second of work, keeps it away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bpdemo.core.settings import Settings
from bpdemo.sim.margin import Asked
from bpdemo.sim.ordeal import Trigger

Turned = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SustainingEffect:
    """`knobs` are those of the naive service, `client` the arguments of its load at `load` times
    `capacity_per_s`. `trigger` lasts `trigger_s`. `cures`: what is turned, or how clients behave.
    """

    what: str
    knobs: Turned
    trigger: Turned
    trigger_s: float
    load: float
    client: Turned
    cures: Mapping[str, Turned]
    capacity_per_s: float | None = None
    false_cures: Mapping[str, Turned] = field(default_factory=dict)

    def asked(self, cure: Turned | None = None, load: float | None = None) -> Asked:
        """The trials of it, with a cure or without."""
        turned = dict(cure or {})
        settings = {**self.knobs, **{n: v for n, v in turned.items() if n in _KNOBS}}
        client = {**self.client, **{n: v for n, v in turned.items() if n not in _KNOBS}}
        return Asked(
            Settings.unprotected(**settings), Trigger(self.trigger), load or self.load,
            self.capacity_per_s, client,
        )  # fmt: skip

    def stuck_share(
        self, seeds: int, cure: Turned | None = None, load: float | None = None
    ) -> float:
        """The share of `seeds` on which the service stays stuck."""
        asked = self.asked(cure, load)
        return sum(asked.is_stuck(self.trigger_s, seed) for seed in range(seeds)) / seeds


_KNOBS: Final = set(Settings.model_fields) - {"seed"}
_SLOW: Final = {"payment_latency_s": 0.2}

RETRIES: Final = SustainingEffect(
    what="clients retry, and each order comes four times",
    knobs={"workers": 2},
    trigger=_SLOW,
    trigger_s=2.0,
    load=0.6,
    client={"retries": 3},
    cures={
        "no retries": {"retries": 0},
        "a retry budget of the clients": {"retry_budget": 0.1},
        "a bounded queue": {"queue_capacity": 4},
        "a deadline": {"request_timeout_s": 0.5},
    },
    false_cures={
        "backoff": {"backoff": "exponential"},
        "dropping those that left": {"drop_on_disconnect": True},
    },
)
STALE_QUEUE: Final = SustainingEffect(
    what="a queue of orders that nobody waits for any more",
    knobs={"workers": 2},
    trigger=_SLOW,
    trigger_s=20.0,
    load=0.9,
    client={"retries": 0},
    cures={
        "a bounded queue": {"queue_capacity": 4},
        "a deadline": {"request_timeout_s": 0.5},
        "dropping those that left": {"drop_on_disconnect": True},
        "newest first": {"queue_discipline": "lifo"},
    },
)
POOL: Final = SustainingEffect(
    what="connections held by attempts that time out",
    knobs={
        "workers": 96, "queue_capacity": 16, "payment_latency_s": 0.005, "store_latency_s": 0.1,
        "pool_max": 8, "pool_acquire_timeout_s": 0.0, "attempt_timeout_s": 0.4,
    },
    trigger={"store_latency_s": 0.4},
    trigger_s=4.0,
    load=0.8,
    capacity_per_s=80.0,
    client={"retries": 0, "item_id": 1},
    cures={
        "a short wait for a connection": {"pool_acquire_timeout_s": 0.2},
        "one attempt": {"retry_attempts": 1},
        "no more workers than the pool can serve in time": {"workers": 16},
    },
)  # fmt: skip
COLD_CACHE: Final = SustainingEffect(
    # It is the same after a flush and from a start. Coalescing does not help here; where it is all
    # that is needed, `tests/sim/test_cold_cache.py` shows.
    what="an empty cache, whose loads time out before they fill it",
    knobs={
        "workers": 4, "queue_capacity": 4, "payment_latency_s": 0.04, "store_latency_s": 0.1,
        "pool_max": 2, "pool_acquire_timeout_s": 0.0, "attempt_timeout_s": 0.4,
        "retry_attempts": 1, "cache_ttl_s": 300.0,
    },
    trigger={"cache_capacity": 1},
    trigger_s=0.2,
    load=0.2,
    capacity_per_s=20.0,
    client={"retries": 0, "browse_per_s": 100.0},
    cures={
        "a short wait for a connection": {"pool_acquire_timeout_s": 0.2},
        "fewer who browse": {"browse_per_s": 10.0},
    },
)  # fmt: skip
EFFECTS: Final = {
    "retries": RETRIES, "stale queue": STALE_QUEUE, "pool": POOL, "cold cache": COLD_CACHE,
}  # fmt: skip
