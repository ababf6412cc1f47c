"""The arena of limits: what is scored, and what the section makes of it."""

from typing import Any

import pytest

from benchmarks.arena import Rival, Scene, Scored, played
from benchmarks.measured import FULL, QUICK, TINY
from benchmarks.sections.limits import OURS, RIVALS, report, scenes

SMALL: dict[str, Any] = {"workers": 2, "payment_latency_distribution": "constant"}
SIZED, WIDE = Rival("sized", {"max_in_flight": 6}), Rival("wide", {"max_in_flight": 400})


def test_a_bound_that_suits_serves_what_is_possible_and_none_that_does_not() -> None:
    """Constant times: what is served can be calculated."""
    scene = Scene("twice", 2.0, 30.0, SMALL)
    sized, wide = played(scene, SIZED, 1), played(scene, WIDE, 1)
    assert sized.goodput == pytest.approx(1, abs=0.02)
    assert sized.worst > 0.95
    assert sized.false == 0
    assert wide.goodput < 0.1


def test_a_limit_below_the_workers_refuses_while_one_is_idle() -> None:
    """It serves one in each 42 ms and the time until the next comes, and refuses the others."""
    score = played(Scene("twice", 2.0, 30.0, SMALL), Rival("one", {"max_in_flight": 1}), 1)
    assert score.goodput == pytest.approx(0.4, abs=0.05)
    assert score.false > 0.5


def test_what_is_possible_follows_the_capacity() -> None:
    """It halves half-way: who serves half of the nominal from then on serves all of it."""
    half = {"payment_latency_s": 0.08, "store_latency_s": 0.004}
    scene = Scene("half", 2.0, 40.0, SMALL, [(20.0, half)])
    score = played(scene, SIZED, 1)
    assert score.goodput == pytest.approx(1, abs=0.03)
    assert score.last == pytest.approx(1, abs=0.05)


def test_the_report_has_a_row_for_each_and_holds_the_aims_against_ours() -> None:
    """Four aims a scene; the best adaptive rival is who ours is held against."""
    good, bad = Scored(0.97, 0.9, 0.0, 0.97), Scored(0.5, 0.1, 0.2, 0.0)
    rows = {rival.name: [bad, bad] for rival in RIVALS} | {OURS: [good, good]}
    told = report({"drift ×1.2": rows}, [{"every retry": [3.0, 47.0, 0.8]}] * 2)
    drift, policies = told.tables
    assert list(drift.rows) == [rival.name for rival in RIVALS]
    assert {len(cells) for cells in drift.rows.values()} == {len(drift.columns)}
    assert policies.rows["every retry"] == [[3.0, 3.0], [47.0, 47.0], [0.8, 0.8]]
    assert len(told.aims) == 4
    assert all(aim.is_met for aim in told.aims)
    behind = rows | {"vegas": [Scored(1.0, 1.0, 0.0, 1.0)] * 2}
    assert [aim.is_met for aim in report({"a": behind}, [{}]).aims] == [True, True, True, False]


def test_every_rival_can_be_put_before_every_scene() -> None:
    """In every size: the settings fit, and no two scenes or rivals share a name."""
    for size in (TINY, QUICK, FULL):
        for scene in scenes(size):
            for rival in RIVALS:
                assert rival.settings(scene, 1).workers in (2, 8)
    assert len({scene.name for scene in scenes(FULL)}) == len(scenes(FULL))
    assert len({rival.name for rival in RIVALS}) == len(RIVALS)
