"""A clock that is set back, or tells nonsense, under a limit that adapts."""

from math import inf, nan
from random import Random

import pytest

from bpdemo.flow.limiter import Limiter
from bpdemo.flow.limits.choice import LIMITS, LimitChoice
from tests.flow.helpers import Clock

NAMES = sorted(LIMITS)


def made(name: str, clock: Clock) -> Limiter:
    choice = LimitChoice(algorithm=name, start=40, low=1, high=1000)  # type: ignore[arg-type]
    return Limiter(choice.make(Random(1)), clock)


def play(
    limiter: Limiter, clock: Clock, rounds: int, *, service_s: float = 0.04, back_s: float = 0.0
) -> list[float]:
    """Where the limit stands after each flight before 20 workers; `back_s`: the clock is set back
    so much in the middle of the first."""
    draw, path = Random(2), []
    for _ in range(rounds):
        inside = [limiter.acquire() for _ in range(max(1, min(60, int(limiter.limit.current))))]
        clock.advance(service_s * max(1.0, len(inside) / 20) - back_s)
        back_s = 0.0
        for permit in inside:
            clock.advance(1e-4)
            permit.drop() if draw.random() < 0.02 else permit.success()
        path.append(limiter.limit.current)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_clock_that_is_set_back_an_hour_freezes_no_limit(name: str) -> None:
    """It still hears that the service has become slower: no window is an hour long, and nothing
    piles up meanwhile."""
    clock = Clock(10_000)
    limiter = made(name, clock)
    play(limiter, clock, 100)
    play(limiter, clock, 1, back_s=3600)
    assert len(set(play(limiter, clock, 300, service_s=0.2))) > 1
    assert limiter.in_flight == 0
    kept = (getattr(limiter.limit, name, None) for name in limiter.limit.__slots__)  # type: ignore[attr-defined]
    assert all(len(each) < 5000 for each in kept if isinstance(each, list))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("nonsense_s", [nan, inf, -inf])
def test_a_clock_that_tells_no_time_for_a_moment_leaves_no_trace(
    name: str, nonsense_s: float
) -> None:
    """Its calls are no samples, of the limit or of the service's own time; their permits end."""
    odd, sound = Clock(100), Clock(100)
    limiter, other = made(name, odd), made(name, sound)
    play(limiter, odd, 20)
    play(other, sound, 20)
    before_s, odd.now = odd.now, nonsense_s
    permits = [limiter.acquire() for _ in range(3)]
    odd.now = before_s
    permits += [limiter.acquire() for _ in range(2)]
    permits[0].success()
    permits[1].drop()
    odd.now = nonsense_s
    permits[2].shed()
    permits[3].success()
    permits[4].drop()
    odd.now = before_s
    assert limiter.in_flight == 0
    assert play(limiter, odd, 100) == play(other, sound, 100)
