"""The fluid model of a retry storm, by itself and beside the service's own code."""

from math import inf, nan
from typing import Any

import pytest

from bpdemo.core.settings import Settings
from bpdemo.lab import theory
from bpdemo.sim.margin import Asked
from bpdemo.sim.ordeal import Trigger
from bpdemo.sim.storm import RetryStorm

#: The naive service at its defaults, and payments five times as slow.
SHOP: dict[str, Any] = {
    "workers": 8, "service_s": 0.042, "slow_service_s": 0.202, "client_timeout_s": 0.5,
}  # fmt: skip


def storm(load: float, retries: int = 3, **other: Any) -> RetryStorm:
    return RetryStorm(load=load, retries=retries, **{**SHOP, **other})


def test_it_is_among_the_theories() -> None:
    """Where a lesson finds the other models."""
    assert theory.RetryStorm is RetryStorm


@pytest.mark.parametrize(("load", "retries"), [(0.25, 3), (0.49, 1), (0.5, 1), (0.95, 0), (1.0, 0)])
def test_what_all_tries_together_do_not_fill_is_stable(load: float, retries: int) -> None:
    """(r + 1)·ρ ≤ 1: no trigger of any length sticks, at the very border neither."""
    assert storm(load, retries).edge_s() == inf
    assert not storm(load, retries).is_stuck(5.0)


def test_the_edge_falls_with_load_retries_and_slowness() -> None:
    """And rises with the client timeout: which is what people set, to be safe."""
    edge_s = storm(0.6).edge_s()
    assert storm(0.7).edge_s() < edge_s
    assert storm(0.6, retries=1).edge_s() > edge_s
    assert storm(0.6, slow_service_s=0.402).edge_s() < edge_s
    assert storm(0.6, client_timeout_s=1.0).edge_s() > edge_s


def test_on_either_side_of_the_edge() -> None:
    """A bit less recovers, a bit more sticks, and so does everything beyond."""
    edge_s = storm(0.5).edge_s()
    assert not storm(0.5).is_stuck(0.95 * edge_s)
    for times in (1.05, 2.0, 10.0):
        assert storm(0.5).is_stuck(times * edge_s)


@pytest.mark.parametrize("load", [0.97, 1.0])
def test_a_queue_that_neither_empties_nor_is_late_is_not_stuck(load: float) -> None:
    """At its capacity what the trigger left behind stays, and everybody is served in time."""
    assert not storm(load).is_stuck(0.1)
    assert 0.1 < storm(load).edge_s() < 1.0


def test_beyond_its_capacity_it_needs_no_trigger() -> None:
    """The queue grows by itself."""
    assert storm(1.001, retries=0).is_stuck(0.0)
    assert storm(1.001, retries=0).edge_s() == 0.0


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *(("load", wrong) for wrong in (0, -1, nan, inf)),
        *(("workers", wrong) for wrong in (0, 2.5)),
        *(("service_s", wrong) for wrong in (0, 0.0005, inf)),
        *(("slow_service_s", wrong) for wrong in (0, nan)),
        *(("client_timeout_s", wrong) for wrong in (0.0001, inf, nan)),
        *(("retries", wrong) for wrong in (-1, 21)),
    ],
)
def test_what_cannot_be_modelled_is_named(name: str, wrong: float) -> None:
    """When it is made: no model runs for ever."""
    with pytest.raises(ValueError, match=f"{name} must be"):
        RetryStorm(**{**SHOP, "load": 0.6, "retries": 3, name: wrong})


@pytest.mark.parametrize("wrong", [0, -1, nan])
def test_a_longest_trigger_of_no_length_is_refused(wrong: float) -> None:
    """It is not taken for one that never sticks."""
    with pytest.raises(ValueError, match="most_s must be"):
        storm(0.6).edge_s(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("load", [0.5, 0.8])
def test_the_services_own_code_sticks_on_the_same_side(load: float) -> None:
    """Three seeds: the most recover from 0.75 of the model's edge and stick from 1.25 of it."""
    settings = Settings.unprotected()
    asked = Asked(settings, Trigger.slow_payment(settings), load, None, {"retries": 3})
    edge_s = storm(load).edge_s()
    assert sum(asked.is_stuck(0.75 * edge_s, seed) for seed in range(3)) < 2
    assert sum(asked.is_stuck(1.25 * edge_s, seed) for seed in range(3)) >= 2
