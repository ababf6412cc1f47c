"""The arena of limits: what is scored, and what the section makes of it."""

from typing import Any

import pytest

from benchmarks.arena import Rival, Scene, Scored, limits_made_with, played
from benchmarks.fifo import score
from benchmarks.limit_aims import OURS
from benchmarks.measured import FULL, QUICK, TINY, Table
from benchmarks.sections.limits import (
    ADAPTIVE,
    DRIFT_SIZED,
    FOR_TWO_HOURS,
    RIVALS,
    as_long_as_it_teaches,
    report,
    rivals_of,
    scenes,
    seeds_of,
)
from benchmarks.tuning import SEEDS, SPANS, trials
from bpdemo.flow.limiter import FixedLimit
from bpdemo.flow.limits.choice import LIMITS
from bpdemo.sim.play import prepare

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
    assert wide.late > 0.5
    assert sized.late == 0
    served, possible = (sum(each) for each in zip(*sized.stretches, strict=True))
    assert len(sized.stretches) == 2
    assert sized.goodput == pytest.approx(served / possible)


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


def test_the_report_has_a_row_for_each_and_the_aims_of_ours() -> None:
    """Beside the scenes stand the client policies; what is kept needs no word."""
    good, bad = Scored(0.97, 0.9, 0.0, 0.97), Scored(0.5, 0.1, 0.2, 0.0)
    rows = {rival.name: [bad, bad] for rival in RIVALS} | {OURS: [good, good]}
    told = report({"drift ×1.2": rows}, Table.of_one("policies", "", {}))
    drift, policies = told.tables
    assert policies.title == "policies"
    assert list(drift.rows) == [rival.name for rival in RIVALS]
    assert {len(cells) for cells in drift.rows.values()} == {len(drift.columns)}
    assert [aim.is_met for aim in told.aims] == [True] * 4
    assert told.notes == []
    bad_ours = report({"drift ×1.2": rows | {OURS: [bad, bad]}}, Table.of_one("policies", "", {}))
    assert len(bad_ours.notes) == sum(not aim.is_met for aim in bad_ours.aims) == 3


def test_every_rival_can_be_put_before_every_scene() -> None:
    """In every size: the settings fit, and no two scenes or rivals share a name."""
    for size in (TINY, QUICK, FULL):
        for scene in scenes(size):
            for rival in RIVALS:
                assert rival.settings(scene, 1).workers in (2, 8, 16)
    assert len({scene.name for scene in scenes(FULL)}) == len(scenes(FULL))
    assert len({rival.name for rival in RIVALS}) == len(RIVALS)


def test_the_full_form_plays_all_and_the_quick_one_spares_the_half_hours_four() -> None:
    """Ours, the best of its rivals and a bound that suits are in each, and rows that are not there
    are no rivals."""
    names = [rival.name for rival in RIVALS]
    for scene in scenes(FULL):
        assert [rival.name for rival in rivals_of(scene, FULL)] == names
    for scene in scenes(QUICK):
        quick = {rival.name for rival in rivals_of(scene, QUICK)}
        assert {OURS, "gradient2", "gradient2, tuned", "vegas", "well-sized"} <= quick
        assert len(quick) == len(names) - 4 * (scene.seconds > 600)
        rows = {name: [Scored(0.97, 0.9, 0.0, 0.97)] for name in quick}
        assert len(report({scene.name: rows}, Table.of_one("", "", {})).aims) == 4
    assert set(ADAPTIVE) < set(names)


def test_the_full_form_drifts_for_two_hours_on_five_seeds() -> None:
    """Those whom time moves; the others play the first half hour, on the same seeds. All play all
    of what is shorter, and no scene is longer than a load may be."""
    for scene in scenes(FULL):
        lengths = {
            rival.name: as_long_as_it_teaches(scene, rival).seconds
            for rival in rivals_of(scene, FULL)
        }
        if scene.name.startswith("drift"):
            assert len(seeds_of(scene, FULL)) == 5
            assert {lengths.pop(name) for name in FOR_TWO_HOURS} == {7200.0}
            assert set(lengths.values()) == {1800.0}
        else:
            assert set(lengths.values()) == {scene.seconds}
        prepare(RIVALS[0].settings(scene, 11), times=scene.times, seconds=scene.seconds)
    assert max(scene.seconds for scene in scenes(FULL, 1800.0)) == 1800.0


def test_what_is_sized_for_another_day_makes_all_late_in_the_drift() -> None:
    """It is what suits four times the workers."""
    scene = next(each for each in scenes(TINY) if each.name == "drift ×1.2")
    short = Scene(scene.name, scene.times, 60.0, scene.knobs)
    assert played(short, DRIFT_SIZED["another day's"], 1).last < 0.1
    assert played(short, DRIFT_SIZED["well-sized"], 1).last > 0.7


@pytest.mark.parametrize("bound", [4, 16, 150])
def test_the_queue_of_one_file_scores_as_the_service_does(bound: int) -> None:
    """A bound that is too small, one that suits, one that is far too large: within 0.05."""
    scene = Scene("twice", 2.0, 40.0, {"payment_latency_distribution": "exponential"})
    service = played(scene, Rival("bound", {"max_in_flight": bound}), 1)
    queue = score(FixedLimit(bound), scene, 1)
    assert queue.goodput == pytest.approx(service.goodput, abs=0.05)
    assert queue.false == pytest.approx(service.false, abs=0.05)


def test_all_are_tuned_alike() -> None:
    """Every limit that adapts is searched, by constants that it has; the published ones count as a
    trial, so none is tuned to worse, and the seeds are none of those that judge."""
    assert set(SPANS) == set(LIMITS)
    assert not set(SEEDS) & set(range(11, 16))
    for name, spans in SPANS.items():
        for end in (0, 1):
            kind: Any = LIMITS[name]
            kind(16, low=1, high=1000, **{constant: span[end] for constant, span in spans.items()})


def test_a_trial_repeats_and_the_best_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same number of trials finds the same."""
    monkeypatch.setattr("benchmarks.tuning.SCENES", (Scene("short", 2.0, 30.0),))
    found = trials("aimd", 3)
    assert found == trials("aimd", 3)
    assert [each.worth for each in found] == sorted((each.worth for each in found), reverse=True)
    assert {} in [each.constants for each in found]


def test_a_rivals_constants_are_its_limits_while_it_plays_and_no_longer() -> None:
    """What one was tuned to is nobody else's."""
    published = LIMITS["aimd"]
    rival = Rival("aimd, tuned", {"limit_algorithm": "aimd"}, constants={"backoff": 0.5})
    with limits_made_with(rival):
        limit = LIMITS["aimd"](16, low=1, high=1000, rng=None)
        limit.learn(16, 0.1, dropped=True, now=1.0, was_full=True)
        assert limit.current == 8
    assert LIMITS["aimd"] is published
