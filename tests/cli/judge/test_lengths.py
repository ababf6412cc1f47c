"""How long the loads of a judge are: a verdict does not depend on how long clients wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.cli.judge import grading
from bpdemo.cli.judge.lengths import LEAVING, OVERLOAD, STAYING, Lengths

TICK_S = 0.01
REST_S = 0.04
TIMEOUTS_S = st.floats(0.05, 60)


def served_from(
    offered: list[float], client_timeout_s: float, bound_s: float = 1e9, rest_s: float = REST_S
) -> list[float]:
    """The share that is served in time of what comes in each tick, of a service that drains
    what waits in order, for those who left too: `offered` in multiples of its capacity, and never
    more than `bound_s` of work waiting."""
    waits_s, shares = 0.0, []
    for times in offered:
        room_s = bound_s - waits_s + TICK_S
        let_in = min(times * TICK_S, max(0.0, room_s))
        in_time = waits_s + rest_s <= client_timeout_s
        shares.append(let_in / (times * TICK_S) if in_time and times else float(in_time))
        waits_s = max(0.0, waits_s + let_in - TICK_S)
    return shares


def ticks(seconds: float) -> int:
    return round(seconds / TICK_S)


def mean(shares: list[float]) -> float:
    return sum(shares) / len(shares)


def kept(times: float, client_timeout_s: float, bound_s: float = 1e9) -> float:
    lengths = Lengths.of(client_timeout_s, REST_S)
    shares = served_from([times] * ticks(lengths.load_s), client_timeout_s, bound_s)
    return times * mean(shares[ticks(lengths.fill_s) :])


def stayed(client_timeout_s: float, bound_s: float = 1e9) -> float:
    lengths = Lengths.of(client_timeout_s, REST_S)
    offered = [STAYING + LEAVING] * ticks(lengths.beside_s)
    shares = served_from(offered, client_timeout_s, bound_s)
    return mean(shares[ticks(lengths.beside_fill_s) :])


@given(TIMEOUTS_S)
def test_a_queue_without_a_bound_is_bad_however_long_clients_wait(client_timeout_s: float) -> None:
    """At 2× and 5×, after a spike, and beside clients that leave."""
    assert grading.goodput_kept(2, kept(2, client_timeout_s)).grade == "bad"
    assert grading.goodput_kept(5, kept(5, client_timeout_s)).grade == "bad"
    assert grading.work_for_leavers(stayed(client_timeout_s), 0.01).grade == "bad"
    third = ticks(Lengths.of(client_timeout_s, REST_S).spike_s / 3)
    offered = [0.1 * OVERLOAD] * third + [OVERLOAD] * third + [0.1 * OVERLOAD] * third
    *_, last = served_from(offered, client_timeout_s)
    assert last == 0, "it has recovered before the run ends"


@given(TIMEOUTS_S)
def test_a_short_queue_is_good_however_long_clients_wait(client_timeout_s: float) -> None:
    """One that holds no more than half of what clients wait for."""
    bound_s = max(0.0, client_timeout_s - REST_S) / 2
    if client_timeout_s <= REST_S + TICK_S:
        return
    for times in (2, 5):
        share = kept(times, client_timeout_s, bound_s)
        assert grading.goodput_kept(times, share).grade == "good"
        assert share == pytest.approx(1, abs=0.05)


@given(TIMEOUTS_S, st.floats(0.002, 60))
def test_leavers_leave_before_they_could_be_served(client_timeout_s: float, rest_s: float) -> None:
    """After 10 ms at most, as soon as half of what an answer takes at least."""
    leave_s = Lengths.of(client_timeout_s, rest_s).leave_s
    assert leave_s is not None
    assert 0.001 <= leave_s <= min(0.01, rest_s / 2)


def test_of_a_service_that_nobody_can_leave_in_time_nothing_is_concluded() -> None:
    """A load generator cannot hang up within half a millisecond."""
    assert Lengths.of(0.5, 0.0015).leave_s is None


def test_the_usual_lengths() -> None:
    """For half a second of patience a load is 8 s, of which the first second is not looked at."""
    usual = Lengths.of(0.5, 0.04)
    assert (usual.fill_s, usual.load_s, usual.spike_s, usual.leave_s) == (1, 8, 15, 0.01)
    assert usual.all_s == pytest.approx(47.25)
