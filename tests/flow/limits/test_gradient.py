"""Envoy's gradient as it is published, update by update."""

from math import sqrt
from random import Random

import pytest

from bpdemo.flow.limits.gradient import Gradient


class Calls:
    """Tells a limit of calls that end ten milliseconds apart."""

    def __init__(self, limit: Gradient) -> None:
        self.limit = limit
        self.now = 100.0

    def tell(self, calls: int, rtt_s: float, apart_s: float = 0.01) -> float:
        for _ in range(calls):
            self.now += apart_s
            self.limit.learn(1, rtt_s, dropped=False, now=self.now, was_full=True)
        return self.limit.current


def test_it_begins_with_a_probe_of_fifty_calls_at_a_limit_of_three() -> None:
    """And goes on from where it shall start; these are the published defaults."""
    calls = Calls(Gradient(40))
    assert calls.limit.current == 3
    assert calls.tell(49, 0.1) == 3
    assert calls.tell(1, 0.1) == 40
    assert calls.limit._min_rtt_s == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("rtt_s", "gradient"),
    [(0.1, 1.25), (0.125, 1.0), (0.2, 0.625), (0.25, 0.5), (9, 0.5), (0.01, 2), (0.0, 2)],
)
def test_an_update_is_the_gradient_and_room_for_a_burst(rtt_s: float, gradient: float) -> None:
    """⌊g L + √(g L)⌋ with the buffer of a quarter, from a half to twice."""
    calls = Calls(Gradient(40))
    calls.tell(50, 0.1)
    after = calls.tell(1, rtt_s, apart_s=0.1)
    assert after == int(40 * gradient + sqrt(40 * gradient))


def test_updates_are_a_tenth_of_a_second_apart_and_use_the_median() -> None:
    """Of all calls since the last one."""
    calls = Calls(Gradient(40))
    calls.tell(50, 0.1)
    calls.tell(4, 0.125)
    assert calls.tell(4, 9.0) == 40  # 80 ms later: nothing yet
    assert calls.tell(2, 0.125) == 40 + 6  # six of ten are 0.125


@pytest.mark.parametrize("draw", [0.0, 0.5, 1.0])
def test_it_probes_anew_every_minute_and_up_to_fifteen_percent(draw: float) -> None:
    """Pinned to three meanwhile; calls from before do not count."""

    class Drawn(Random):
        def random(self) -> float:
            return draw

    calls = Calls(Gradient(40, rng=Drawn()))
    calls.tell(50, 0.1)
    since = calls.now
    while calls.tell(1, 0.125, apart_s=0.5) != 3:
        pass
    assert calls.now - since == pytest.approx(60 + 9 * draw, abs=0.5)
    assert calls.tell(200, 300.0) == 3  # they began before: no sample of an idle service
    calls.tell(50, 0.2)
    assert calls.limit.current > 3
    assert calls.limit._min_rtt_s == pytest.approx(0.2)


def test_five_updates_at_the_least_are_a_reason_to_probe() -> None:
    """Perhaps the minimum was wrong, and the limit is where a probe has it anyway."""
    calls = Calls(Gradient(3))
    calls.tell(50, 0.01)
    for _ in range(5):
        assert calls.tell(1, 9.0, apart_s=0.1) == 3
    calls.tell(60, 0.1)
    assert calls.limit._min_rtt_s == pytest.approx(0.1)


def test_the_update_that_comes_down_to_the_least_is_not_one_of_the_five() -> None:
    """As the source counts: those before and after which it is at the least."""
    calls = Calls(Gradient(4))
    calls.tell(50, 0.01)
    assert calls.tell(1, 9.0, apart_s=0.1) == 3
    for _ in range(4):
        calls.tell(1, 9.0, apart_s=0.1)
    calls.tell(60, 0.1)
    assert calls.limit._min_rtt_s == pytest.approx(0.01)


def test_it_never_goes_beyond_its_bounds() -> None:
    """From 3 to 1000, as published."""
    calls = Calls(Gradient(900))
    calls.tell(50, 0.1)
    assert calls.tell(20, 0.01, apart_s=0.1) == 1000
