"""What the workers did in the worst ten seconds, by made-up tapes, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.arena import Scored
from benchmarks.limit_aims import OURS
from benchmarks.live_worst import Stretch, stretch_of, told_of_worst
from benchmarks.taped import Busy

WORKERS, BEGAN_S = 2, 100.0
SCORE = Scored(0.97, 0.8, 0.0, 0.97, worst_from_s=30)
#: Busy all the time with payments that are long, and ended what was served.
LONG_PAYMENTS = Stretch(from_s=30, busy=0.99, ended=0.83, in_time=0.82)


def tape_of_jobs(path: Path, every_s: float, takes_s: float) -> Busy:
    """One worker that is never idle, and one that begins a job so often, from 20 to 50 s on."""
    changes = [(BEGAN_S, 1)]
    start_s = BEGAN_S + 20
    while start_s < BEGAN_S + 50:
        changes += [(start_s, 2), (start_s + takes_s, 1)]
        start_s += every_s
    path.write_text("".join(f"{at_s} {busy}\n" for at_s, busy in changes), "ascii")
    return Busy.read(path)


def test_the_tape_is_read_where_the_worst_ten_seconds_were(tmp_path: Path) -> None:
    """Half of the time both are busy, and four of ten jobs that were possible end."""
    busy = tape_of_jobs(tmp_path / "tape", every_s=1.0, takes_s=0.5)
    found = stretch_of(SCORE, 25.0, BEGAN_S, busy, WORKERS)
    assert found is not None
    assert (found.from_s, found.in_time) == (30, 0.8)
    assert found.busy == pytest.approx(0.75)
    assert found.ended == pytest.approx(10 / 25)
    assert found.most == pytest.approx(10 / 25 / 0.75)
    later = stretch_of(replace(SCORE, worst_from_s=60), 25.0, BEGAN_S, busy, WORKERS)
    assert later is not None
    assert (later.busy, later.ended) == (0.5, 0)


def test_a_run_that_is_too_short_has_none(tmp_path: Path) -> None:
    """Its score says 1, of nothing."""
    busy = tape_of_jobs(tmp_path / "tape", 1.0, 0.5)
    assert stretch_of(replace(SCORE, worst_from_s=None), 25.0, BEGAN_S, busy, WORKERS) is None


def test_an_aim_that_no_limit_could_keep_is_told_so() -> None:
    """The workers were busy nearly all the time, and ended less than the aim."""
    *each, verdict = told_of_worst(
        {OURS: [LONG_PAYMENTS], "Envoy": [replace(LONG_PAYMENTS, in_time=0.8)]}
    )
    assert each[0] == (
        f"worst ten seconds, {OURS}: from 30 s on; of what is possible by the mean times, the "
        "workers, who were busy 99% of it, ended 0.83, and 0.82 was served in time"
    )
    assert len(each) == 2
    assert verdict == (
        "ours misses 0.85 with 0.82, and no limit could have kept it there: with payments as long "
        f"as those, workers who are never idle end 0.84. The best of all here, {OURS}, has 0.82"
    )


@pytest.mark.parametrize(
    "ours",
    [
        replace(LONG_PAYMENTS, busy=0.9, in_time=0.82),  # workers were idle
        replace(LONG_PAYMENTS, ended=1.0, in_time=0.5),  # what they ended was late
    ],
)
def test_idle_workers_and_late_answers_are_no_excuse(ours: Stretch) -> None:
    """There a limit could have kept it."""
    *_, verdict = told_of_worst({OURS: [ours]})
    assert "a limit could have kept it" in verdict


def test_an_aim_that_is_kept_needs_no_verdict_and_the_middle_run_speaks() -> None:
    """Of three runs the second best; who has no run is not told of."""
    runs = [
        replace(LONG_PAYMENTS, from_s=n, in_time=share)
        for n, share in ((1, 0.9), (2, 0.7), (3, 0.86))
    ]
    [told] = told_of_worst({OURS: runs, "Envoy": []})
    assert "from 3 s on" in told
