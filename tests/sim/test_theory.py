"""The formulas agree with published figures, with their own laws, and with a simulation."""

import dataclasses
import heapq
import math
import random
import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bpdemo.sim.theory import QueueTheory, little, mmck

RATES = st.floats(0.001, 1e4)
SERVERS = st.integers(1, 60)
ROOMS = st.integers(0, 300)
CUSTOMERS = 6_000


def close(value: float, to: float, rel: float = 1e-9) -> bool:
    return math.isclose(value, to, rel_tol=rel, abs_tol=1e-12)


@pytest.mark.parametrize(
    ("arrival_rate", "refused"), [(80.0, 0.0135), (120.0, 0.1834), (200.0, 0.5001)]
)
def test_agrees_with_the_published_figures(arrival_rate: float, refused: float) -> None:
    """μ = 25, c = 4, K = 14: the share refused is the one in the project's facts."""
    assert mmck(arrival_rate, 25.0, 4, 14).blocking_probability == pytest.approx(refused, abs=5e-5)


@given(RATES, RATES, SERVERS, ROOMS)
def test_obeys_littles_law(arrival: float, service: float, servers: int, room: int) -> None:
    """Those inside are the admitted rate times wait and service; those queued, times the wait."""
    q = mmck(arrival, service, servers, servers + room)
    assert close(little(q.throughput_per_s, q.mean_wait_s + 1 / service), q.mean_in_system)
    assert close(little(q.throughput_per_s, q.mean_wait_s), q.mean_in_queue)


@given(RATES, RATES, SERVERS, ROOMS)
def test_what_comes_in_goes_out(arrival: float, service: float, servers: int, room: int) -> None:
    """The admitted arrivals equal what the busy servers finish, and shares stay within 0 and 1."""
    q = mmck(arrival, service, servers, servers + room)
    # Added, not subtracted: of a share of 1 - 1e-7 the rest would have few digits left.
    assert close(arrival * q.blocking_probability + q.throughput_per_s, arrival)
    assert close(q.utilisation * servers * service, q.throughput_per_s)
    assert 0 <= q.blocking_probability <= 1
    assert 0 <= q.utilisation <= 1 + 1e-12
    assert 0 <= q.mean_in_queue <= room + 1e-9


@given(st.floats(0.01, 20.0), st.integers(1, 200))
def test_one_server_has_the_closed_form_of_mm1k(load: float, capacity: int) -> None:
    """M/M/1/K blocks (1-ρ)ρ^K / (1-ρ^(K+1)), and at ρ = 1 exactly 1 / (K+1)."""
    assume(abs(load - 1) > 1e-3)
    if load < 1:
        expected = (1 - load) * load**capacity / (1 - load ** (capacity + 1))
    else:
        expected = (load - 1) / (load - load**-capacity)
    assert close(mmck(load, 1.0, 1, capacity).blocking_probability, expected, rel=1e-8)
    at_one = mmck(1.0, 1.0, 1, capacity)
    assert close(at_one.blocking_probability, 1 / (capacity + 1))
    assert close(at_one.mean_in_system, capacity / 2)


@given(st.floats(0.01, 0.99), RATES)
def test_one_server_without_bound_has_the_closed_form_of_mm1(use: float, service: float) -> None:
    """M/M/1 holds ρ / (1-ρ) customers, who wait ρ / (μ(1-ρ))."""
    q = mmck(use * service, service, 1, None)
    assert close(q.mean_in_system, use / (1 - use), rel=1e-6)
    assert close(q.mean_wait_s, use / (service * (1 - use)), rel=1e-6)
    assert q.blocking_probability == 0


@given(st.floats(0.05, 30.0), st.integers(1, 40))
def test_no_waiting_room_is_erlangs_loss_formula(load: float, servers: int) -> None:
    """K = c blocks a^c/c! over the sum of a^n/n!, and nobody waits."""
    terms = [load**n / math.factorial(n) for n in range(servers + 1)]
    q = mmck(load, 1.0, servers, servers)
    assert close(q.blocking_probability, terms[-1] / math.fsum(terms))
    assert q.mean_wait_s == 0


@given(st.floats(0.05, 0.9), SERVERS)
def test_a_large_room_is_like_none_at_all(use: float, servers: int) -> None:
    """As K grows, M/M/c/K becomes M/M/c."""
    bounded = mmck(use * servers, 1.0, servers, servers + 2000)
    unbounded = mmck(use * servers, 1.0, servers, None)
    assert bounded.blocking_probability < 1e-80
    assert close(bounded.mean_wait_s, unbounded.mean_wait_s)
    assert close(bounded.mean_in_system, unbounded.mean_in_system)


@given(RATES, RATES, SERVERS, ROOMS)
def test_more_load_refuses_more(arrival: float, service: float, servers: int, room: int) -> None:
    """Blocking, waiting and utilisation never fall as arrivals grow."""
    less, more = (mmck(rate, service, servers, servers + room) for rate in (arrival, 1.5 * arrival))
    assert less.blocking_probability <= more.blocking_probability
    assert less.mean_wait_s <= more.mean_wait_s * (1 + 1e-9)
    assert less.utilisation <= more.utilisation * (1 + 1e-9)


@pytest.mark.parametrize("load", [0.5, 0.999, 1.0, 1.001, 1e6])
@pytest.mark.parametrize(("servers", "capacity"), [(1, 200_000), (5_000, 100_000), (1024, 1024)])
def test_large_systems_neither_overflow_nor_lose_the_balance(
    load: float, servers: int, capacity: int
) -> None:
    """With thousands of servers and a vast room, arrivals still balance departures."""
    q = mmck(load * servers, 1.0, servers, capacity)
    assert q.throughput_per_s == pytest.approx(load * servers * (1 - q.blocking_probability))
    assert q.mean_in_queue + q.throughput_per_s == pytest.approx(q.mean_in_system)
    assert all(math.isfinite(getattr(q, field)) for field in QueueTheory.__slots__)


def test_the_extremes_are_the_limits() -> None:
    """No arrivals: an empty house. Endless arrivals: every server busy, every place taken."""
    empty, swamped = mmck(0.0, 25.0, 4, 14), mmck(1e12, 25.0, 4, 14)
    assert empty == QueueTheory(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert swamped.throughput_per_s == pytest.approx(100.0)
    assert swamped.mean_in_system == pytest.approx(14.0)
    assert swamped.mean_wait_s == pytest.approx(10 / 100)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ((-1.0, 1.0, 1, 1), r"arrival_rate=-1\.0 must be finite and ≥ 0"),
        ((math.nan, 1.0, 1, 1), r"arrival_rate=nan must be finite and ≥ 0"),
        ((1.0, 0.0, 1, 1), r"service_rate=0\.0 must be finite and > 0"),
        ((1.0, math.inf, 1, 1), r"service_rate=inf must be finite and > 0"),
        ((1e300, 1e-300, 1, 1), r"service_rate=1e-300 is too small"),
        ((1.0, 1.0, 0, 1), r"servers=0 must be a whole number ≥ 1"),
        ((1.0, 1.0, True, 1), r"servers=True must be a whole number ≥ 1"),
        ((1.0, 1.0, 4, 3), r"capacity=3 must be a whole number ≥ 4"),
        ((1.0, 1.0, 1, 1.5), r"capacity=1\.5 must be a whole number ≥ 1"),
        ((100.0, 25.0, 4, None), r"arrival_rate=100 must be below .* = 100 when capacity is None"),
    ],
)
def test_names_field_value_and_range(call: tuple[float, float, int, int], message: str) -> None:
    """What cannot be computed is refused in one clear line."""
    with pytest.raises(ValueError, match=message):
        mmck(*call)


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8, np.intp])
def test_takes_numpys_whole_numbers(kind: type[Any]) -> None:
    """What a sweep over an array hands in; where their few bits would overflow, too."""
    assert mmck(90.0, 25.0, kind(4), kind(14)) == mmck(90.0, 25.0, 4, 14)
    assert mmck(90.0, 25.0, kind(4), None) == mmck(90.0, 25.0, 4, None)
    room = 250 if kind is np.uint8 else 30_000
    assert mmck(kind(90), kind(25), kind(4), kind(room)) == mmck(90.0, 25.0, 4, room)


def test_whatever_goes_in_pythons_own_numbers_come_out() -> None:
    """So that a result can be told as JSON, and is as exact."""
    numpys: Any = [np.float64(90), np.float32(25), np.int64(4), np.int64(14)]
    result = mmck(*numpys)
    assert all(type(value) is float for value in dataclasses.astuple(result))
    assert result == mmck(90.0, 25.0, 4, 14)
    assert type(little(*numpys[:2])) is float


@pytest.mark.parametrize("wrong", [np.True_, np.float64(4), np.int64(0), "4", None, 4j])
def test_refuses_what_is_no_whole_number_of_servers(wrong: Any) -> None:
    """Neither numpy's booleans nor its floats are."""
    with pytest.raises(ValueError, match=r"servers=.* must be a whole number ≥ 1"):
        mmck(1.0, 1.0, wrong, 14)


@pytest.mark.parametrize("wrong", [np.nan, np.float64("inf"), np.True_, True, "4", None, 4j])
def test_refuses_what_is_no_rate(wrong: Any) -> None:
    """Of any library."""
    with pytest.raises(ValueError, match=r"arrival_rate=.* must be finite and ≥ 0"):
        mmck(wrong, 1.0, 1, 1)


@pytest.mark.parametrize(("rate", "time_s"), [(-1.0, 1.0), (1.0, -1.0), (math.inf, 1.0)])
def test_little_refuses_what_cannot_be(rate: float, time_s: float) -> None:
    """Little's law takes finite rates and times from 0."""
    with pytest.raises(ValueError, match="must be finite and ≥ 0"):
        little(rate, time_s)


def simulate_mmck(
    seed: int, arrival_rate: float, service_rate: float, servers: int, capacity: int
) -> tuple[float, float]:
    """(share refused, mean wait of the admitted), customer by customer, as they come."""
    rng = random.Random(seed)
    free_at_s = [0.0] * servers  # a heap: when each server will be free
    leave_at_s: list[float] = []  # a heap: when each of those inside goes
    waits: list[float] = []
    now_s = 0.0
    for _ in range(CUSTOMERS):
        now_s += rng.expovariate(arrival_rate)
        while leave_at_s and leave_at_s[0] <= now_s:
            heapq.heappop(leave_at_s)
        if len(leave_at_s) == capacity:
            continue
        begins_s = max(now_s, free_at_s[0])
        ends_s = begins_s + rng.expovariate(service_rate)
        heapq.heapreplace(free_at_s, ends_s)
        heapq.heappush(leave_at_s, ends_s)
        waits.append(begins_s - now_s)
    return 1 - len(waits) / CUSTOMERS, statistics.fmean(waits)


@pytest.mark.parametrize("arrival_rate", [80.0, 120.0, 200.0])
def test_a_simulation_agrees_within_its_confidence_interval(arrival_rate: float) -> None:
    """Over eight seeds, the 99 % interval of blocking and of waiting holds the theory."""
    runs = [simulate_mmck(seed, arrival_rate, 25.0, 4, 14) for seed in range(8)]
    expected = mmck(arrival_rate, 25.0, 4, 14)
    refused, waits = zip(*runs, strict=True)
    student_t_99_with_7_degrees = 3.499
    for measured, theory in [
        (refused, expected.blocking_probability),
        (waits, expected.mean_wait_s),
    ]:
        half_width = student_t_99_with_7_degrees * statistics.stdev(measured) / math.sqrt(8)
        assert abs(statistics.fmean(measured) - theory) < half_width
