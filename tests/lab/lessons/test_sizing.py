"""The rules of thumb: what they advise holds when it is tried, and when the dependency slows down.

*Possible* is min(offered, workers ÷ mean service). The store takes no time here, so that the mean
service is the payment's.
"""

import asyncio
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpdemo.core.settings import Settings
from bpdemo.lab import simulate, size, theory
from bpdemo.lab.lessons.outages import outage
from bpdemo.lab.lessons.sizing import _opens_after_s
from bpdemo.sim import virtual_time
from tests.service.stage import Stage
from tests.support.examples import USUAL, examples

SLOWER = (1.25, 1.5, 2.0, 3.0)
#: All three in `make test-all`; the first while somebody waits.
SEEDS = (0, 1, 2) if examples() >= USUAL else (0,)
PROMISED = {"constant": 0.93, "lognormal": 0.93, "exponential": 0.85}


def goodput_of_possible(
    knobs: dict[str, Any], distribution: str, slower: float, seed: int, *, seconds: float = 16.0
) -> float:
    """At 0.9 × load; the payment slows down after a sixteenth of the time, seen from a quarter."""
    workers, service_s = knobs["workers"], knobs["payment_latency_s"]
    run = simulate(
        {**knobs, "payment_latency_distribution": distribution, "store_latency_s": 0},
        rate=0.9 * workers / service_s,
        seconds=seconds,
        seed=seed,
        client_timeout_s=knobs["request_timeout_s"],
        send_deadline=True,
        bin_s=seconds / 32,
        changes=[(seconds / 16, {"payment_latency_s": slower * service_s})],
    )
    after = run.between(seconds / 4, seconds)
    possible_per_s = min(after["offered_per_s"], workers / (slower * service_s))
    return after["goodput_per_s"] / possible_per_s


@pytest.mark.parametrize("slower", SLOWER)
@pytest.mark.parametrize("distribution", PROMISED)
def test_what_is_advised_survives_a_dependency_that_slows_down(distribution, slower):
    """The worst of three seeds serves what `size` promises, with 8 workers, 0.042 s and 0.5 s."""
    knobs = size(workers=8, service_s=0.042, deadline_s=0.5).knobs
    worst = min(goodput_of_possible(knobs, distribution, slower, seed) for seed in SEEDS)
    assert worst >= PROMISED[distribution]


@pytest.mark.parametrize(
    ("workers", "service_s", "deadline_s"), [(8, 0.0625, 0.5), (16, 0.05, 1.0)]
)
def test_the_promise_holds_to_its_edge(workers, service_s, deadline_s):
    """Eight workers, and a deadline of just eight service times: at three times as slow, the
    hardest case, it is kept; and so it is beyond."""
    advice = size(workers=workers, service_s=service_s, deadline_s=deadline_s)
    assert "at least 93% of what is possible" in repr(advice)
    for distribution, promised in PROMISED.items():
        assert goodput_of_possible(advice.knobs, distribution, 3.0, 0, seconds=20) >= promised


#: A little slower, where a pool with no place loses what comes in bursts; and much slower at the
#: shortest deadline, where a place too many would make everybody late.
LARGE = [("constant", 1.11, 12), ("lognormal", 1.11, 12), ("exponential", 3.0, 8)]


@pytest.mark.parametrize(
    ("workers", "case"), [(16, LARGE[2]), (32, LARGE[1]), (80, LARGE[0])], ids=str
)
def test_the_promise_holds_for_larger_pools(workers, case):
    """The hardest case for each size."""
    assert larger_pool_keeps_it(workers, *case)


@pytest.mark.long
@pytest.mark.parametrize("workers", [16, 32, 64, 80, 100, 200])
@pytest.mark.parametrize("case", [*LARGE, ("constant", 3.0, 8), ("lognormal", 2.0, 8)], ids=str)
def test_the_promise_holds_for_every_pool(workers, case):
    """The whole matrix, from 16 workers to 200."""
    assert larger_pool_keeps_it(workers, *case)


def larger_pool_keeps_it(
    workers: int, distribution: str, slower: float, in_services: float
) -> bool:
    knobs = size(workers=workers, service_s=0.042, deadline_s=in_services * 0.042).knobs
    seconds = max(4, 160 / workers)
    served = goodput_of_possible(knobs, distribution, slower, 0, seconds=seconds)
    return served >= PROMISED[distribution]


def test_theorys_fewest_places_would_not_keep_it():
    """80 workers need none for random bursts, says M/M/c/K, and then the promise is broken."""
    knobs = size(workers=80, service_s=0.042, deadline_s=0.5).knobs
    assert theory.mmck(0.9 * 80, 1, 80, 80).blocking_probability < 0.035
    served = goodput_of_possible(knobs | {"queue_capacity": 0}, "constant", 1.11, 0, seconds=4)
    assert served < PROMISED["constant"]


def test_slow_services_keep_it_too_with_a_deadline_of_ten_of_them():
    """Their budget looks back ten seconds, in which few calls come; so 8 service times are not
    enough for a promise."""
    figures = {"workers": 16, "service_s": 5}
    assert "at least 93%" not in repr(advised(**figures, deadline_s=40))
    advice = advised(**figures, deadline_s=50)
    assert "at least 93%" in repr(advice)
    assert goodput_of_possible(advice.knobs, "exponential", 3.0, 0, seconds=400.0) >= 0.85


@pytest.mark.parametrize(("calls", "opens"), [(10, True), (None, False)])
def test_the_breaker_of_a_slow_service_is_not_opened_by_chance(calls, opens):
    """At 3 × as slow a quarter of the attempts time out, and half of ten calls are soon among them;
    not so of the 20 that are advised."""
    knobs = advised(16, 5, 40).knobs | {"payment_latency_distribution": "exponential"}
    if calls is not None:
        knobs |= {"breaker_min_calls": calls, "breaker_window_s": 25}
    slow = knobs | {"payment_latency_s": 15, "store_latency_s": 0}
    run = simulate(slow, rate=2.88, seconds=416, client_timeout_s=40, send_deadline=True, bin_s=26)
    assert (run.reasons.get("circuit_open", 0) > 0) is opens


@pytest.mark.parametrize(
    ("workers", "service_s", "deadline_s"), [(1, 1.0, 10.0), (8, 10.0, 100.0), (8, 0.042, 0.5)]
)
def test_a_call_that_fails_once_is_tried_again_however_slow_the_service_is(
    workers, service_s, deadline_s
):
    """10% of the calls fail at 0.7 × capacity. With no retries that is 90% served."""
    knobs = advised(workers, service_s, deadline_s).knobs | {"payment_failure_rate": 0.1}
    served = {}
    for floor_per_s in (0, knobs["retry_budget_min_per_s"]):
        run = simulate(
            knobs | {"retry_budget_min_per_s": floor_per_s}, times=0.7,
            seconds=min(3500, 1000 * service_s / workers), client_timeout_s=deadline_s,
            bin_s=max(0.5, service_s),
        )  # fmt: skip
        served[floor_per_s] = run.summary["served_share"]
    assert min(served.values()) >= (0.97 if service_s < 1 else 0.85)
    assert served[0.1] >= (0.97 if service_s < 1 else served[0] + 0.03)


@pytest.mark.parametrize("workers", [8, 32, 100])
def test_orders_that_arrive_together_find_a_place(workers):
    """A batch every 0.1 s, at 0.7 × capacity: all are served; with the fewest places of theory a
    large pool sheds what it has time for."""
    advice = size(workers=workers, service_s=0.042, deadline_s=0.5)
    assert batches_served(advice.knobs) >= 0.99
    if workers == 100:
        assert batches_served(advice.knobs | {"queue_capacity": 0}) <= 0.65


def batches_served(knobs: dict[str, Any]) -> float:
    """Thirty batches, one every 0.1 s: the share that was served in time."""

    async def come() -> float:
        stage = Stage(knobs | {"payment_latency_s": 0.04, "store_latency_s": 0.002})
        await stage.office.start()
        batch, callers = round(0.07 * knobs["workers"] / 0.042), []
        for _ in range(30):
            callers += [stage.comes(client_timeout_s=0.5) for _ in range(batch)]
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        await stage.office.stop()
        return sum(caller.fate == 201 for caller in callers) / len(callers)

    return virtual_time.run(come(), limit_s=100)


def test_a_breaker_for_quiet_hours_opens_then_too():
    """At 3 calls a second: 50 in ten seconds never come, and 20 do. Below that it says so."""
    figures: dict[str, Any] = {"workers": 8, "service_s": 0.042, "deadline_s": 0.5}
    assert "below 5 calls a second it does not judge" in repr(size(**figures))
    opened = {}
    for quiet_per_s in (None, 3):
        advice = size(**figures, quiet_per_s=quiet_per_s)
        assert advice.warnings == ()
        run = simulate(
            advice.knobs, rate=3, seconds=60, client_timeout_s=0.5, changes=outage(5, 60), bin_s=1
        )
        opened[quiet_per_s] = run.reasons.get("circuit_open", 0) > 0
    assert opened == {None: False, 3: True}
    assert "the breaker never sees" in repr(size(**figures, quiet_per_s=1))
    with pytest.raises(ValueError, match="quiet_per_s"):
        size(**figures, quiet_per_s=0)


@pytest.mark.parametrize("window_s", [12.5, 40.0])
def test_a_long_window_opens_late_by_day(window_s):
    """Why it stays short for quiet hours: a breaker that is to see one call a second remembers
    so much good that it lets a hang of the busy day pass for long. As late as the warning says."""
    advice = size(workers=8, service_s=0.4, deadline_s=5, quiet_per_s=1)
    assert advice.knobs["breaker_window_s"] == 12.5
    assert "breaker_window_s=40 it would see them" in repr(advice)
    knobs = advice.knobs | {"breaker_window_s": window_s}
    begins_s = 60.0
    run = simulate(
        knobs, times=0.9, seconds=110, client_timeout_s=5, bin_s=1,
        changes=[(begins_s, {"payment_latency_s": 3600})],
    )  # fmt: skip
    opened_s = min(run.frame.t_s[run.frame.breaker_payment > 0])
    assert opened_s - begins_s == pytest.approx(_opens_after_s(knobs, window_s), rel=0.1, abs=1)


def test_the_longest_useful_queue_does_not_survive_it():
    """The ceiling as a setting, and a service that does not ask whether an order can be finished:
    good as long as nothing changes, worthless at 1.5× as slow. So the test above sees more
    than any setting would show."""
    advice = size(workers=8, service_s=0.042, deadline_s=0.5)
    naive = advice.knobs | {
        "queue_capacity": int(0.7 * advice.cliff),
        "request_timeout_s": 0,
        "drop_on_disconnect": False,
    }

    def sold(slower: float) -> float:
        run = simulate(
            naive | {"store_latency_s": 0}, times=2, seconds=16, client_timeout_s=0.5,
            changes=[(1, {"payment_latency_s": slower * 0.042})],
        )  # fmt: skip
        return run.between(6, 16)["goodput_per_s"] / (8 / (slower * 0.042))

    assert sold(1) >= 0.95
    assert sold(1.5) <= 0.05


@pytest.mark.parametrize(
    ("workers", "service_s", "deadline_s"), [(8, 0.04, 0.5), (2, 0.1, 0.5), (16, 0.2, 2.0)]
)
@pytest.mark.parametrize("times", [2, 10])
def test_what_is_advised_sells_at_capacity_in_overload(workers, service_s, deadline_s, times):
    """Whatever the machine's figures: the room is short enough for those who wait in it."""
    knobs = advised(workers, service_s, deadline_s).knobs
    run = simulate(knobs, times=times, seconds=20, client_timeout_s=deadline_s)
    assert run.between(10, 20)["goodput_share"] >= 0.93


def test_twice_the_longest_useful_queue_sells_next_to_nothing():
    """The cliff is where the formula puts it; no deadline at the door, which would save it."""
    advice = size(workers=8, service_s=0.04, deadline_s=0.5)
    knobs = advice.knobs | {"queue_capacity": 2 * advice.cliff, "request_timeout_s": 0}
    run = simulate(knobs, times=2, seconds=20, client_timeout_s=0.5)
    assert run.between(10, 20)["goodput_share"] <= 0.1


@pytest.mark.parametrize(
    ("workers", "service_s", "deadline_s"), [(8, 0.04, 0.5), (2, 1.0, 10.0), (1, 0.5, 5.0)]
)
def test_the_breaker_opens_when_the_dependency_hangs(workers, service_s, deadline_s):
    """Also where few calls can end in a second: it waits for no more than the window can hold."""
    advice = advised(workers, service_s, deadline_s)
    hangs = outage(20, 200)
    run = simulate(advice.knobs, times=0.6, seconds=200, client_timeout_s=deadline_s, changes=hangs)
    assert run.reasons.get("circuit_open", 0) > 0


@cache
def advised(workers, service_s, deadline_s):
    """`size` tries out what it does not promise, which takes a moment: once is enough."""
    return size(workers=workers, service_s=service_s, deadline_s=deadline_s)


@pytest.mark.long
@settings(max_examples=examples(60))
@given(
    workers=st.integers(8, 1024),
    service_s=st.floats(0.001, 400),
    deadline_in_services=st.floats(8, 1000),
)
def test_places_are_the_fewest_that_chance_needs_and_attempts_end_before_the_deadline(
    workers, service_s, deadline_in_services
):
    """One for each worker; beyond that M/M/c/K at 0.9 × load refuses 3% with the places advised and
    more with one less, unless that would be over half of the longest useful queue. And what a
    warning is for cannot happen."""
    deadline_s = min(3600.0, service_s * deadline_in_services)
    with patch("bpdemo.lab.lessons.sizing.expected", return_value={}):  # it takes a second
        advice = size(workers=workers, service_s=service_s, deadline_s=deadline_s)
    places = advice.knobs["queue_capacity"]

    def refused(places: float) -> float:
        rate = 0.9 * workers
        return theory.mmck(rate, 1, workers, workers + places).blocking_probability

    assert places <= advice.cliff / 2
    assert round(refused(places), 2) <= 0.03 or places == advice.cliff // 2
    assert places >= min(workers, advice.cliff // 2)
    assert places == workers or refused(places - 1) > 0.034
    assert advice.knobs["attempt_timeout_s"] < deadline_s or deadline_s < 8 * service_s
    assert (advice.warnings == ()) is (advice.knobs["attempt_timeout_s"] < deadline_s)
    assert Settings(**advice.knobs).warnings == () or advice.warnings


def test_eight_workers_need_ten_places():
    """The figure that the lessons and the cheat sheet quote."""
    advice = size(workers=8, service_s=0.042, deadline_s=0.5)
    assert (advice.knobs["queue_capacity"], advice.knobs["attempt_timeout_s"]) == (10, 0.25)


@pytest.mark.parametrize(
    ("workers", "deadline_s", "why"),
    [(7, 0.5, "fewer than 8 workers"), (8, 0.31, "a deadline under 8 service times")],
)
def test_what_was_not_tried_is_expected_and_not_promised(workers, deadline_s, why):
    """A figure for each slowdown, from a simulation, and the reason."""
    told = repr(advised(workers, 0.04, deadline_s))
    assert "at least 93%" not in told
    assert f"no promise: {why}" in told
    assert "% at 1 ×, " in told
    assert "% at 3 ×" in told


def test_a_deadline_that_hides_a_hang_is_warned_of():
    """Four service times or less leave no room for an attempt that ends before its caller."""
    advice = advised(8, 0.1, 0.4)
    assert advice.knobs["attempt_timeout_s"] == 0.4
    assert "never opens its breaker" in repr(advice)
    assert "never opens its breaker" in advice._repr_html_()


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
