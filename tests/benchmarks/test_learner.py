"""The section on a learner's waits: each is measured for real, and held to its aim."""

import pytest

from benchmarks.measured import TINY
from benchmarks.sections.learner import AIMS, LOAD, WORKSHOP, Idle, Waits, _report, measure

IDLE = Idle([0.0], [0])


def waits(factor: float) -> dict[str, Waits]:
    """As long as is aimed at, times a factor; by the other clock an hour."""
    return {
        name: Waits([3600.0], [aim_s * factor]) if is_cpu else Waits([aim_s * factor], [3600.0])
        for name, (aim_s, is_cpu) in AIMS.items()
    }


def test_each_wait_is_held_to_its_aim_by_the_clock_that_the_aim_names() -> None:
    """The other clock decides nothing."""
    just, over = _report(waits(1), IDLE), _report(waits(1.01), IDLE)
    assert all(aim.is_met for aim in just.aims)
    assert [aim.is_met for aim in over.aims] == [False] * len(AIMS) + [True] * 2


def test_a_generator_that_takes_processor_time_while_it_waits_misses_its_aims() -> None:
    """What is too little for a tick of the system's clock shows as having been woken."""
    for idle, met in ((Idle([0.01], [1]), [False, False]), (Idle([0.0], [100]), [True, False])):
        assert [aim.is_met for aim in _report(waits(1), idle).aims[-2:]] == met


@pytest.mark.load
@pytest.mark.light
@pytest.mark.slow
def test_every_wait_is_measured() -> None:
    """In seconds, each of them more than none; those of several processes by the clock alone."""
    waited, idle = measure(TINY, lambda _: None).report.tables
    assert list(waited.rows) == list(AIMS)
    for name, (by_clock_s, processor_s) in waited.rows.items():
        assert by_clock_s
        assert all(value > 0 for value in by_clock_s + processor_s)
        assert bool(processor_s) is (name not in (LOAD, WORKSHOP))
    [(processor_s, woke)] = idle.rows.values()
    assert len(processor_s) == len(woke) == TINY.rounds
