"""The map of metastable failure: what is played of the protected service, and which aims it has."""

from collections.abc import Callable, Iterable

import pytest

from benchmarks.measured import FULL, QUICK, TINY
from benchmarks.sections.map import (
    AGREED,
    LOADS,
    PATTERN,
    effect_shares,
    loads_of,
    pattern_aims,
    pattern_shares,
    protected_shares,
    two_of_three,
)
from bpdemo.sim.sustaining import EFFECTS

STICKS, RECOVERS, FEWER = "longer", "shorter", "less load"


def aims_met(longer: float, shorter: float, less: float) -> list[bool]:
    pattern = {STICKS: [longer], RECOVERS: [shorter], FEWER: [less]}
    return [aim.is_met for aim in pattern_aims(pattern)]


def test_the_published_pattern_is_three_aims_and_each_can_be_missed() -> None:
    """The longer trigger sticks on most seeds; a shorter one, or less load, recovers on most."""
    assert aims_met(1.0, 0.0, 0.22) == [True, True, True]
    assert aims_met(0.3, 0.0, 0.22) == [False, True, True]
    assert aims_met(1.0, 0.7, 0.22) == [True, False, True]
    assert aims_met(1.0, 0.0, 0.7) == [True, True, False]


def test_every_length_of_trigger_is_played_on_every_seed() -> None:
    """None is read off another: each share is of its own runs."""
    played: list[tuple[float, int]] = []

    def each(is_stuck: Callable[[int], bool], seeds: Iterable[int]) -> Iterable[bool]:
        [length_s] = is_stuck.args  # type: ignore[attr-defined]
        for seed in seeds:
            played.append((length_s, seed))
            yield length_s == 60.0 and seed == 0

    shares = protected_shares([10.0, 60.0], 4, each, lambda _: None)
    assert shares == {10.0: [0.0], 60.0: [0.25]}
    assert played == [(length_s, seed) for length_s in (10.0, 60.0) for seed in range(4)]


def test_the_protected_service_survives_a_trigger_at_the_load_that_is_asked() -> None:
    """For real, by one seed."""
    shares = protected_shares([2.0], 1, map, lambda _: None)
    assert shares == {2.0: [0.0]}


@pytest.mark.parametrize("size", [TINY, QUICK, FULL])
def test_the_loads_that_the_aims_ask_for_are_in_every_size(size) -> None:
    """The full form has all, and the quick one leaves out none at which something is held."""
    loads = loads_of(size)
    assert PATTERN in loads
    assert set(loads) <= set(LOADS)
    assert size == TINY or set(AGREED) <= set(loads)
    assert size != FULL or loads == LOADS


def test_effects_and_pattern_are_played_side_by_side_and_each_share_is_of_its_own_seeds() -> None:
    """Whichever process plays which run: a cure's share is not its neighbour's."""

    def each(_: object, runs: Iterable[tuple[object, float, int]]) -> Iterable[bool]:
        for number, (_, _, seed) in enumerate(runs):
            yield number // 3 == 1 and seed < 2

    pattern = pattern_shares(1.0, 3, each)
    assert [share for [share] in pattern.values()] == [0, pytest.approx(2 / 3), 0]
    effects = effect_shares(3, each)
    assert [share for [share] in effects.values()][:3] == [0, pytest.approx(2 / 3), 0]
    turned = sum(1 + len(one.cures) + len(one.false_cures) for one in EFFECTS.values())
    assert len(effects) == turned


@pytest.mark.parametrize(
    ("ends", "played"),
    [("yyn", [True, True]), ("nny", [False, False]), ("yny", [True, False, True])],
)
def test_a_third_run_is_played_where_two_end_differently(ends: str, played: list[bool]) -> None:
    """By numbers from 0 on, so that no seed is played twice."""
    assert two_of_three(lambda number: ends[number] == "y") == played
