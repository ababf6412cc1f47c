"""Our own limit, against services whose answer to a limit is known."""

from random import Random

import pytest

from benchmarks.arena import Scene
from benchmarks.fifo import score, walked
from bpdemo.flow.limits.own import OurLimit


def climbed(
    limit: OurLimit,
    workers: int,
    *,
    began_s: float = 5.0,
    calls: int = 30_000,
    service_s: float = 0.04,
    used: float = 1.0,
    dropped_above: float = 1e9,
    minimum_s: float = 0.0,
) -> float:
    """Where it stands at a service that serves min(limit, workers) at once and is always full:
    calls above `dropped_above` in flight are dropped, each lasts limit ÷ what is served."""
    now, chance, levels = began_s, Random(3), []
    for _ in range(calls):
        inside = limit.current
        per_s = min(inside, workers) / service_s
        now += 1 / per_s
        dropped = inside > dropped_above
        limit.learn(
            int(inside), inside / per_s + minimum_s, dropped=dropped, now=now,
            was_full=chance.random() < used,
        )  # fmt: skip
        levels.append(limit.current)
    last = levels[-len(levels) // 4 :]
    return sum(last) / len(last)


@pytest.mark.parametrize("workers", [2, 8, 32, 100])
@pytest.mark.parametrize("start", [4, 20, 500])
def test_it_finds_what_keeps_every_worker_busy_wherever_it_starts(workers: int, start: int) -> None:
    """A dip stays near the workers there are: no idle worker, and next to no queue."""
    level = climbed(OurLimit(start, rng=Random(1)), workers)
    assert 0.9 * workers <= level <= 1.3 * workers + 4 * workers**0.5 + 6


def test_latencies_mean_nothing_to_it() -> None:
    """A tenfold latency that has nothing to do with the limit moves it nowhere."""
    plain = climbed(OurLimit(40, rng=Random(1)), 20)
    far = climbed(OurLimit(40, rng=Random(1)), 20, minimum_s=3.0)
    assert far == plain


def test_what_is_not_used_teaches_nothing() -> None:
    """A service that is never full keeps the limit it has, to the last digit: the next rush finds
    it. Its dips stay rare."""
    limit, stood = OurLimit(200, rng=Random(1)), []
    for number in range(30_000):
        limit.learn(8, 0.04, dropped=False, now=number / 200, was_full=False)
        stood.append(limit.current)
    assert {each for each in stood if each > 150} == {200}
    assert sum(each < 150 for each in stood) < 0.15 * len(stood)


def test_calls_that_are_dropped_are_not_served() -> None:
    """Where a longer queue makes callers late, the limit stays below that, workers idle or not."""
    assert climbed(OurLimit(60, rng=Random(1)), 100, dropped_above=30) < 45


def test_it_follows_when_the_workers_become_fewer_or_more() -> None:
    """The one limit, through both."""
    limit = OurLimit(16, rng=Random(1))
    assert climbed(limit, 8) < 20
    assert climbed(limit, 64, began_s=500) > 60
    assert climbed(limit, 8, began_s=1000) < 20


@pytest.mark.parametrize("start", [10, 100, 400])
def test_what_exploring_costs_is_bounded(start: int) -> None:
    """It dips for a tenth of the calls, a third where many are in flight, and never below 2.5 √L or
    L ÷ 1.5, whichever is less, though all dips seem to cost nothing."""
    limit, dips, calls = OurLimit(start, rng=Random(1)), 0, 50_000
    least = min(start / 1.5, 2.5 * start**0.5)
    for number in range(calls):
        limit.learn(start * 9 // 10, 0.1, dropped=False, now=number * 0.01, was_full=False)
        assert limit.current >= int(least) - 1
        dips += limit.current < start
    assert 0.08 < dips / calls < 0.36


RUSHED = {"payment_latency_distribution": "bimodal"}, {"payment_latency_distribution": "lognormal"}


@pytest.mark.slow
@pytest.mark.parametrize("knobs", RUSHED, ids=["bimodal", "lognormal"])
def test_chance_does_not_carry_it_off(knobs: dict[str, str]) -> None:
    """Eight seeds, three minutes each, twice the offer, service times that scatter: never so much
    in flight that who waits half a second is late for it (95), nor often fewer than workers."""
    scene = Scene("rush", 2.0, 180.0, knobs)
    for seed in range(200, 208):
        walk = walked(OurLimit(16, rng=Random(seed)), scene, seed)
        assert max(walk.limits) < 80, seed
        assert walk.refused_while_idle < 0.03 * len(walk.orders), seed


@pytest.mark.slow
def test_from_far_too_much_it_comes_back() -> None:
    """A limit that makes everybody late is left in four minutes, though no call is dropped."""
    scene = Scene("rush", 2.0, 240.0, RUSHED[0])
    for seed in range(5):
        walk = walked(OurLimit(150, rng=Random(seed)), scene, seed)
        assert max(walk.limits[-30:]) < 80, seed


@pytest.mark.slow
@pytest.mark.parametrize("times", [1.05, 1.2])
def test_it_stays_where_it_serves_through_hours_of_chance(times: float) -> None:
    """Two workers and times that scatter, for two hours: no dip that was slow by chance weighs more
    than one that was quick, so nothing adds up."""
    scene = Scene("hours", times, 7200.0, {"workers": 2})
    told = [score(OurLimit(4, rng=Random(seed)), scene, seed) for seed in range(21, 24)]
    assert min(each.goodput for each in told) > 0.88
    assert min(each.last for each in told) > 0.85
