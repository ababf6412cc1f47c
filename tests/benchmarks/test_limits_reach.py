"""What a bound chosen afterwards reaches: which is chosen, and what is said of an aim missed."""

import pytest

from benchmarks.arena import Scored
from benchmarks.limit_aims import HARD, OURS
from benchmarks.measured import FULL, QUICK, TINY
from benchmarks.sections.limits import scenes
from benchmarks.sections.limits_reach import best_bounds, bounds, report, verdicts

MISSED = Scored(goodput=0.90, worst=0.70, false=0.024, last=0.9)
NEARLY = Scored(goodput=0.93, worst=0.75, false=0.0, last=0.9)
KEPT = Scored(goodput=0.97, worst=0.90, false=0.0, last=0.9)


@pytest.mark.parametrize("size", [TINY, QUICK, FULL])
def test_its_scenes_are_those_of_the_arena(size) -> None:
    """In every size, and each has bounds from one order a worker on."""
    played = {scene.name: scene for scene in scenes(size)}
    assert set(HARD) <= set(played)
    for name in HARD:
        workers = played[name].knobs.get("workers", 8)
        assert bounds(played[name])[0] == workers
        assert bounds(played[name])[-1] == 16 * workers


def test_the_best_bound_is_chosen_over_all_seeds_and_by_each_figure() -> None:
    """One may be the best for goodput, and another for the worst ten seconds."""
    steady = Scored(0.90, 0.80, 0.0, 0.9)
    looked = {8: [steady, steady], 16: [KEPT, MISSED], 32: [MISSED, MISSED]}
    assert best_bounds(looked) == {"best for goodput": 16, "best for the worst 10 s": 8}


def test_an_aim_that_no_bound_keeps_is_told_apart_from_one_that_ours_alone_misses() -> None:
    """With how far ours is behind what could be reached."""
    hopeless = list(verdicts("drift", {OURS: [MISSED], "best: 6": [NEARLY]}))
    assert hopeless == [
        "drift, goodput: ours misses 0.95 with 0.90, and so do the bounds chosen afterwards: "
        "the better one (best: 6) reaches 0.93, ours is 0.030 behind",
        "drift, worst 10 s: ours misses 0.85 with 0.70, and so do the bounds chosen afterwards: "
        "the better one (best: 6) reaches 0.75, ours is 0.050 behind",
        "drift, false rejections, %: ours misses 1.00 with 2.40; "
        "a bound chosen afterwards (best: 6) keeps it with 0.00",
    ]
    [goodput, *_] = verdicts("drift", {OURS: [NEARLY], "best: 6": [MISSED]})
    assert goodput.endswith("reaches 0.90, ours is not behind")


def test_what_ours_keeps_needs_no_word() -> None:
    """And the report has a table for each scene, with the same columns for all."""
    told = report({"one": {OURS: [KEPT], "best: 6": [KEPT]}})
    assert told.notes == []
    [table] = told.tables
    assert {len(cells) for cells in table.rows.values()} == {len(table.columns)}
