"""What a limit adds behind the other protections: what is played, and what is said of it."""

import pytest

from benchmarks.arena import Scene, Scored
from benchmarks.measured import FULL, QUICK, TINY
from benchmarks.sections.limits import scenes
from benchmarks.sections.limits_protected import (
    ALONE,
    CONTENDERS,
    PLAYED,
    contenders,
    report,
    verdict,
)
from bpdemo.core.settings import Settings


def scored(goodput: float) -> Scored:
    return Scored(goodput=goodput, worst=0.8, false=0.0, last=0.9)


@pytest.mark.parametrize("size", [TINY, QUICK, FULL])
def test_its_scenes_are_those_of_the_arena(size) -> None:
    """In every size."""
    assert set(PLAYED) <= {scene.name for scene in scenes(size)}


def test_the_full_form_has_every_limit_and_the_quick_one_ours_and_its_rival() -> None:
    """Each beside the service without one."""
    assert contenders(FULL) == list(CONTENDERS)
    quick = [one.name for one in contenders(QUICK)]
    assert quick == [ALONE, "with vegas", "with gradient2", "with own"]


def test_all_but_the_limit_is_as_the_service_comes() -> None:
    """The queue, the deadline, and no work for those who have left, for each alike."""
    scene, usual = Scene("any", 1.0, 10.0, {"workers": 2}), Settings.protected()
    told = {"queue_capacity", "request_timeout_s", "drop_on_disconnect", "breaker_enabled"}
    for rival in CONTENDERS:
        settings = rival.settings(scene, 3)
        assert settings.workers == 2
        assert settings.seed == 3
        assert {name: getattr(settings, name) for name in told} == {
            name: getattr(usual, name) for name in told
        }
    algorithms = [rival.settings(scene, 3).limit_algorithm for rival in CONTENDERS]
    assert algorithms[0] == "fixed"
    assert len(set(algorithms)) == len(algorithms) == 6


def test_what_is_said_is_by_seed_and_tells_gain_and_cost() -> None:
    """Paired, so that a good seed is no gain; and a hundredth is none."""
    rows = {
        ALONE: [scored(0.5), scored(0.9)],
        "with a": [scored(0.6), scored(1.0)],
        "with b": [scored(0.4), scored(0.7)],
    }
    assert verdict("drift", rows) == (
        "drift: with a adds 0.10 of goodput, the most; with b costs 0.15"
    )
    del rows["with a"], rows["with b"]
    rows["with c"] = [scored(0.505), scored(0.9)]
    assert verdict("drift", rows) == "drift: no limit adds 0.01 of goodput"


def test_the_report_has_a_table_and_a_sentence_for_each_scene() -> None:
    """With the same columns for all."""
    told = report({"one": {ALONE: [scored(0.9)], "with a": [scored(0.9)]}})
    [table], [note] = told.tables, told.notes
    assert note.startswith("one: ")
    assert {len(cells) for cells in table.rows.values()} == {len(table.columns)}
