"""A queue that is longer than clients wait is told of, and only such a one."""

import pytest

from bpdemo.cli.long_queue import long_queue_note
from bpdemo.core.settings import Settings
from bpdemo.lab.services.simulation import simulate
from tests.support.command import Run


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 8, 16])
@pytest.mark.parametrize("queued", [0, 2, 8, 16, 32, 64])
def test_the_note_is_there_where_overload_leaves_little(workers: int, queued: int) -> None:
    """At three times capacity the queue is full; then it is told of if and only if goodput is
    lost."""
    settings = Settings(workers=workers, queue_capacity=queued, cache_ttl_s=3600)
    capacity = settings.nominal_capacity
    assert capacity is not None
    run = simulate(settings, rate=3 * capacity, seconds=6, seed=1)
    note = long_queue_note(settings, 0.5)
    lost = run.between(3, 6)["goodput_share"] < 0.5
    assert (note is not None) == lost
    if note:
        assert f"full queue of {queued}" in note
        assert long_queue_note(Settings(workers=workers, queue_capacity=workers), 0.5) is None


@pytest.mark.parametrize(
    "knobs",
    [{"queue_capacity": -1}, {"queue_discipline": "adaptive_lifo"}, {"queue_discipline": "codel"}],
)
def test_what_bounds_the_wait_by_other_means_is_not_told_of(knobs: dict[str, object]) -> None:
    """Nor a queue that is unbounded on purpose."""
    assert long_queue_note(Settings(workers=1, **knobs), 0.5) is None


def test_the_default_service_is_not_told_of(run: Run) -> None:
    """With its eight workers; with two of them it is, on stderr, and stdout stays as it is."""
    words = ["simulate", "--rate", "60", "--seconds", "1"]
    assert run(*words)[2] == ""
    code, out, err = run(*words, "--set", "workers=2")
    assert (code, "note" in out) == (0, False)
    assert err.startswith(
        "note: the last order of a full queue of 32 is done after 0.71 s by 2 wor"
    )
    assert "--set queue_capacity=2" in err
