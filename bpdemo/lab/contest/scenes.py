"""What befalls the service in a challenge: four scenes, drawn from a word.

The same word gives the same four to everybody; another word, others that nobody has seen.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bpdemo.core.settings import MEMORY_STORE_LATENCY_S
from bpdemo.load.run import LoadRun

WORKERS: Final = 8
PAYMENT_S: Final = 0.04
BIN_S: Final = 0.5

SceneChange = tuple[float, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Scene:
    """`load` are the arguments of `simulate`, `changes` what happens on the way."""

    title: str
    story: str
    load: Mapping[str, Any]
    changes: tuple[SceneChange, ...] = ()

    def possible(self, run: LoadRun) -> float:
        """How many orders could have been served in time: bin by bin the lesser of offer and what
        payment and workers allow just then. In an outage that is none."""
        bins = round(run.meta.seconds / BIN_S)
        offered, _ = np.histogram(run.records.t_s, bins=bins, range=(0, run.meta.seconds))
        allowed = [self._capacity_per_s((i + 0.5) * BIN_S) * BIN_S for i in range(bins)]
        return float(np.minimum(offered, allowed).sum())

    def _capacity_per_s(self, t_s: float) -> float:
        now: dict[str, Any] = {}
        for at_s, knobs in self.changes:
            now |= knobs if at_s <= t_s else {}
        if now.get("payment_outage"):
            return 0.0
        attempts = 1 / (1 - now.get("payment_failure_rate", 0.0))
        payment_s = now.get("payment_latency_s", PAYMENT_S) * attempts
        return WORKERS / float(payment_s + MEMORY_STORE_LATENCY_S)


def scenes_of(word: str) -> tuple[Scene, ...]:
    """Storm, slow payment, retry storm, outage."""
    chance = random.Random(f"scenes {word}")

    def draw(low: float, high: float) -> float:
        return round(chance.uniform(low, high), 2)

    return (
        _storm(draw(4, 8), draw(0.4, 0.6), chance),
        _slow_payment(draw(0.75, 0.9), draw(2.5, 4), draw(0.45, 0.6), chance),
        _retry_storm(draw(0.75, 0.9), draw(5, 8), draw(0.45, 0.6), chance),
        _outage(draw(0.75, 0.9), draw(3, 6), draw(0.05, 0.15), draw(0.45, 0.6), chance),
    )


def _storm(times: float, client_timeout_s: float, chance: random.Random) -> Scene:
    return Scene(
        "storm",
        f"a calm morning, then {times:.1f} times capacity for six seconds",
        _load(times, client_timeout_s, 18, chance, scenario="spike"),
    )


def _slow_payment(
    times: float, slower: float, client_timeout_s: float, chance: random.Random
) -> Scene:
    return Scene(
        "slow payment",
        f"a good day ({times:.0%} of capacity); for nine seconds payment takes "
        f"{slower:.1f} times as long",
        _load(times, client_timeout_s, 20, chance),
        (
            (5.0, {"payment_latency_s": round(PAYMENT_S * slower, 3)}),
            (14.0, {"payment_latency_s": PAYMENT_S}),
        ),
    )


def _retry_storm(
    times: float, slower: float, client_timeout_s: float, chance: random.Random
) -> Scene:
    return Scene(
        "retry storm",
        f"customers who try again at once, three times; for three seconds payment takes "
        f"{slower:.1f} times as long",
        _load(times, client_timeout_s, 20, chance, retries=3),
        (
            (4.0, {"payment_latency_s": round(PAYMENT_S * slower, 3)}),
            (7.0, {"payment_latency_s": PAYMENT_S}),
        ),
    )


def _outage(
    times: float, lasts_s: float, failing: float, client_timeout_s: float, chance: random.Random
) -> Scene:
    return Scene(
        "outage",
        f"{failing:.0%} of payments fail anyway; then all do, for {lasts_s:.1f} s; then it is back",
        _load(times, client_timeout_s, 22, chance),
        (
            (0.0, {"payment_failure_rate": failing}),
            (5.0, {"payment_outage": True}),
            (5.0 + lasts_s, {"payment_outage": False}),
        ),
    )


def _load(
    times: float, client_timeout_s: float, seconds: float, chance: random.Random, **more: Any
) -> dict[str, Any]:
    seed = chance.randrange(1_000_000)
    return {
        "times": times,
        "client_timeout_s": client_timeout_s,
        "seconds": seconds,
        "seed": seed,
        **more,
    }
