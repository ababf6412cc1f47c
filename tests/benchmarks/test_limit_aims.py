"""What our limit is held to, with made-up scores: what is behind, by how much, and what is said."""

from __future__ import annotations

from random import Random
from statistics import fmean, stdev

import pytest

from benchmarks.arena import Scene, Scored
from benchmarks.fifo import score
from benchmarks.limit_aims import HARD, OURS, SPARED, Behind, aims_of, behind_best, reasons
from bpdemo.flow.limits.choice import LIMITS

THEIRS = "theirs"
POSSIBLE = 1000.0


def scored(*served: int, worst: float = 0.9, false: float = 0.0, late: float = 0.0) -> Scored:
    """Of a thousand that were possible in each stretch."""
    goodput = sum(served) / (POSSIBLE * len(served))
    return Scored(goodput, worst, false, goodput, late, tuple((n, POSSIBLE) for n in served))


def behind(ours: list[Scored], theirs: list[Scored]) -> Behind:
    return behind_best({OURS: ours, THEIRS: theirs}, [THEIRS])


def test_what_is_behind_is_so_by_the_mean_of_all_pairs() -> None:
    """And by how much on each seed; one that was ahead counts as less than nothing."""
    found = behind(
        [scored(*[960] * 5), scored(*[990] * 5)], [scored(*[980] * 5), scored(*[980] * 5)]
    )
    assert found.rival == THEIRS
    assert found.mean == pytest.approx(0.005)
    assert found.by_seed == pytest.approx([0.02, -0.01])


def test_the_interval_is_of_the_differences_and_not_of_the_scores() -> None:
    """Stretches that go up and down for both alike make none; those that differ do."""
    up_and_down = [900, 1000] * 5
    alike = behind([scored(*up_and_down)], [scored(*(n + 20 for n in up_and_down))])
    assert alike.mean == pytest.approx(0.02)
    assert alike.chance == pytest.approx(0)
    apart = behind([scored(*up_and_down)], [scored(*[970] * 10)])
    assert apart.mean == pytest.approx(0.02)
    assert apart.chance == pytest.approx(2 * 0.05 * (10 / 9) ** 0.5 / 10**0.5)


def test_few_pairs_excuse_nothing() -> None:
    """Two seeds have an interval that would; nine stretches have none."""
    ours, theirs = [scored(800), scored(1000)], [scored(930), scored(930)]
    assert behind(ours, theirs).chance == 0
    assert not behind(ours, theirs).is_spared


def test_a_wide_interval_excuses_no_more_than_the_aim_itself() -> None:
    """However the stretches scatter, more than 0.04 is behind."""
    scattered = [scored(*[800, 1000] * 5)]
    for more, is_met in ((0.039, True), (0.041, False)):
        found = behind(scattered, [scored(*[round(900 + 1000 * more)] * 10)])
        assert found.chance > 2 * SPARED
        assert found.is_spared is is_met


def test_only_what_is_more_than_the_aim_and_the_interval_is_missed() -> None:
    """By a thousandth more it is, by a thousandth less it is not."""
    up_and_down = [930, 970] * 5
    chance = behind([scored(*up_and_down)], [scored(*[970] * 10)]).chance
    most = SPARED + chance
    for more, is_met in ((most - 0.001, True), (most + 0.001, False)):
        theirs = [scored(*[round(950 + 1000 * more)] * 10)]
        assert behind([scored(*up_and_down)], theirs).is_spared is is_met


def test_it_is_held_against_the_best_of_those_that_adapt() -> None:
    """A bound that was chosen beforehand is no rival, however good."""
    rows = {
        OURS: [scored(970)],
        "low": [scored(500)],
        "high": [scored(980)],
        "sized": [scored(999)],
    }
    assert behind_best(rows, ["low", "high"]).rival == "high"
    *three, last = aims_of("a scene", rows, ["low", "high"])
    assert [aim.is_met for aim in three] == [True] * 3
    assert last.values == pytest.approx([0.01])
    assert "(high)" in last.text


def test_the_interval_is_of_the_size_of_what_seeds_scatter() -> None:
    """Of two real limits before one queue: each run tells by itself about how far the next would be
    from it. Half an interval is two standard errors, and may be off by a factor of two."""
    knobs = {"workers": 2, "payment_latency_distribution": "lognormal"}
    scene = Scene("twice", 2.0, 120.0, knobs)

    def run(name: str, seed: int) -> Scored:
        limit = LIMITS[name](4, low=1, high=1000, rng=Random(seed))  # type: ignore[index]
        return score(limit, scene, seed)

    found = [behind([run("own", seed)], [run("gradient2", seed)]) for seed in range(200, 212)]
    scatter = stdev(each.mean for each in found)
    assert scatter < fmean(each.chance for each in found) < 4 * scatter


def test_what_is_missed_is_told_with_what_was_measured_of_it() -> None:
    """On how many seeds, who does best, and where orders went; nothing of what is kept."""
    rows = {
        OURS: [scored(970, false=0.0), scored(970, false=0.05, late=0.01)],
        THEIRS: [scored(975), scored(975)],
    }
    [told] = reasons("bimodal ×2", rows, [THEIRS])
    assert told == (
        "bimodal ×2, false rejections, %: ours misses 1.00 with 2.50 (0.00 – 5.00), on 1 of 2 "
        "seeds; 2.50% of the offer rejected while a worker was idle, 0.50% late. Of all that "
        "played here theirs does best, and keeps it with 0.00. What any bound could reach there "
        "stands in [limits_reach](#limits_reach)"
    )
    kept = {OURS: [scored(970)], THEIRS: [scored(975)]}
    assert reasons("bimodal ×2", kept, [THEIRS]) == []


def test_an_aim_that_nobody_keeps_is_told_so() -> None:
    """And a scene that the other section does not ask of has no link to it."""
    rows = {OURS: [scored(970, worst=0.7)], THEIRS: [scored(970, worst=0.8)]}
    [told] = reasons("another", rows, [THEIRS])
    assert "another" not in HARD
    assert told == (
        "another, worst 10 s: ours misses 0.85 with 0.70, on 1 of 1 seed; 0.00% of the offer "
        "rejected while a worker was idle, 0.00% late. None that played here keeps it: the best, "
        "theirs, has 0.80"
    )


def test_who_is_behind_hears_by_how_much_and_what_both_lost() -> None:
    """Beside the interval, what one rejected for nothing, and the worst ten seconds of both."""
    rows = {
        OURS: [scored(*[960] * 10, worst=0.86, late=0.04)],
        THEIRS: [scored(*[990] * 10, worst=0.95)],
    }
    [told] = reasons("drift ×1.2", rows, [THEIRS])
    assert told == (
        "drift ×1.2, behind theirs: by 0.030 ± 0.000, on 1 of 1 seed, by 0.030 at most. Own has "
        "0.00% of the offer rejected while a worker was idle, 4.00% late, worst ten seconds 0.86; "
        "theirs has 0.00% of the offer rejected while a worker was idle, 0.00% late, worst ten "
        "seconds 0.95. What any bound could reach there stands in [limits_reach](#limits_reach)"
    )
