"""Our own limit, against services whose answer to a limit is known."""

from math import exp
from random import Random

import pytest

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
    """A service that is never full keeps the limit it has: the next rush finds it."""
    assert climbed(OurLimit(200, rng=Random(1)), 8, used=0.0) == pytest.approx(200, rel=0.12)


def test_calls_that_are_dropped_are_not_served() -> None:
    """Where a longer queue makes callers late, the limit stays below that, workers idle or not."""
    assert climbed(OurLimit(60, rng=Random(1)), 100, dropped_above=30) < 45


def test_it_follows_when_the_workers_become_fewer_or_more() -> None:
    """The one limit, through both."""
    limit = OurLimit(16, rng=Random(1))
    assert climbed(limit, 8) < 20
    assert climbed(limit, 64, began_s=500) > 60
    assert climbed(limit, 8, began_s=1000) < 20


def test_it_dips_for_a_fifth_of_the_calls() -> None:
    """What exploring costs is bounded: a stretch of `quota` in five, to L of L + 2 √L."""
    limit, dips = OurLimit(100, rng=Random(1)), 0
    for number in range(50_000):
        limit.learn(90, 0.1, dropped=False, now=number * exp(-5), was_full=False)
        dips += limit.current < 95
    assert dips / 50_000 == pytest.approx(0.2, abs=0.03)
