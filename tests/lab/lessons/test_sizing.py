"""The rules of thumb: what they advise holds when it is tried."""

import pytest

from bpdemo.lab import outage, simulate, size


@pytest.mark.parametrize(
    ("workers", "service_s", "deadline_s"), [(8, 0.04, 0.5), (2, 0.1, 0.5), (16, 0.2, 2.0)]
)
@pytest.mark.parametrize("times", [2, 10])
def test_what_is_advised_sells_at_capacity_in_overload(workers, service_s, deadline_s, times):
    """Whatever the machine's figures: the room is short enough for those who wait in it."""
    advice = size(workers=workers, service_s=service_s, deadline_s=deadline_s)
    run = simulate(advice.knobs, times=times, seconds=20, patience_s=deadline_s)
    assert run.between(10, 20)["goodput_share"] >= 0.93


def test_twice_the_longest_useful_queue_sells_next_to_nothing():
    """The cliff is where the formula puts it; no deadline at the door, which would save it."""
    advice = size(workers=8, service_s=0.04, deadline_s=0.5)
    knobs = advice.knobs | {"queue_capacity": 2 * advice.cliff, "request_timeout_s": 0}
    run = simulate(knobs, times=2, seconds=20, patience_s=0.5)
    assert run.between(10, 20)["goodput_share"] <= 0.1


@pytest.mark.parametrize(
    ("workers", "service_s", "deadline_s"), [(8, 0.04, 0.5), (2, 1.0, 10.0), (1, 0.5, 5.0)]
)
def test_the_breaker_opens_when_the_dependency_hangs(workers, service_s, deadline_s):
    """Also where few calls can end in a second: it waits for no more than the window can hold."""
    advice = size(workers=workers, service_s=service_s, deadline_s=deadline_s)
    hangs = outage(20, 200)
    run = simulate(advice.knobs, times=0.6, seconds=200, patience_s=deadline_s, changes=hangs)
    assert run.reasons.get("circuit_open", 0) > 0


@pytest.mark.parametrize(
    ("figures", "named"),
    [
        ({"workers": 0, "service_s": 0.1, "deadline_s": 1}, "workers"),
        ({"workers": 1, "service_s": 0, "deadline_s": 1}, "service_s"),
        ({"workers": 1, "service_s": 1, "deadline_s": 0.5}, "deadline_s"),
    ],
)
def test_an_impossible_figure_is_named(figures, named):
    """One line, which says which."""
    with pytest.raises(ValueError, match=named):
        size(**figures)


def test_the_reckoning_is_shown():
    """The formula stands with its numbers, in words and in a table."""
    advice = size(workers=8, service_s=0.04, deadline_s=0.5)
    assert "(0.5 s − 0.04 s) × 200/s = 92" in repr(advice)
    assert "<table" in advice._repr_html_()
