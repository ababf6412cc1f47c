"""The map of metastable failure: what is played of the protected service, and which aims it has."""

from collections.abc import Callable, Iterable

from benchmarks.sections.map import pattern_aims, protected_shares

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
