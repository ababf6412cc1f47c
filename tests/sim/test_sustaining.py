"""Sustaining effects: each keeps a service stuck, and what is said to remove it does."""

from typing import Any

import pytest

from bpdemo.core.settings import Settings
from bpdemo.sim.margin import Asked
from bpdemo.sim.ordeal import Trigger
from bpdemo.sim.storm import RetryStorm
from bpdemo.sim.sustaining import EFFECTS

#: Minutes of a stuck service take their time.
pytestmark = pytest.mark.slow

#: On each of them the same. A stuck pool and a stuck cache take longest.
SEEDS = dict.fromkeys(EFFECTS, 3) | {"pool": 2, "cold cache": 2}
CURES = [(name, cure) for name, effect in EFFECTS.items() for cure in effect.cures]
FALSE = [(name, cure) for name, effect in EFFECTS.items() for cure in effect.false_cures]


@pytest.mark.parametrize("name", EFFECTS)
def test_it_keeps_the_service_stuck(name: str) -> None:
    """Long after its trigger has gone."""
    assert EFFECTS[name].stuck_share(SEEDS[name]) == 1.0


@pytest.mark.parametrize("name", ["retries", "stale queue", "pool"])
def test_it_was_the_trigger(name: str) -> None:
    """Without one the same service is well under the same load. (An empty cache needs none: a start
    has it as a flush does.)"""
    assert not EFFECTS[name].asked().is_stuck(0.0, 0)


@pytest.mark.parametrize("name", ["stale queue", "pool"])
def test_less_load_recovers(name: str) -> None:
    """30% less, the same trigger: the pattern of the published artefact."""
    effect = EFFECTS[name]
    assert effect.stuck_share(SEEDS[name], load=0.7 * effect.load) == 0.0


@pytest.mark.parametrize(("name", "cure"), CURES)
def test_what_removes_it_does(name: str, cure: str) -> None:
    """The same service, the same trigger, and it recovers."""
    effect = EFFECTS[name]
    assert effect.stuck_share(SEEDS[name], effect.cures[cure]) == 0.0


@pytest.mark.parametrize(("name", "cure"), FALSE)
def test_what_only_seems_to_help_does_not(name: str, cure: str) -> None:
    """It is stuck as before."""
    effect = EFFECTS[name]
    assert effect.stuck_share(SEEDS[name], effect.false_cures[cure]) == 1.0


def test_a_shorter_trigger_or_less_load_recovers() -> None:
    """The pattern of the published artefact: a trigger beyond the edge sticks; one a little shorter
    does not, nor does the same one at 30% less load."""
    naive = Settings.unprotected()
    shop: dict[str, Any] = {
        "workers": 8, "service_s": 0.042, "slow_service_s": 0.202, "client_timeout_s": 0.5,
        "retries": 3,
    }  # fmt: skip
    edge_s = RetryStorm(load=0.6, **shop).edge_s()

    def sticks(load: float, trigger_s: float) -> bool:
        asked = Asked(naive, Trigger.slow_payment(naive), load, None, {"retries": 3})
        return sum(asked.is_stuck(trigger_s, seed) for seed in range(5)) >= 3

    assert sticks(0.6, 1.25 * edge_s)
    assert not sticks(0.6, 0.75 * edge_s)
    assert not sticks(0.42, 1.25 * edge_s)


def test_the_protected_service_survives_a_minute_at_95_percent() -> None:
    """With three retries, on a few seeds; the bench plays nine."""
    settings = Settings()
    asked = Asked(settings, Trigger.slow_payment(settings), 0.95, None, {"retries": 3})
    assert not any(asked.is_stuck(60.0, seed) for seed in range(2))
