"""The search for a capacity, at services that are a formula, in virtual time."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bpdemo.load.capacity_search import FACTOR, Rest, Search, Step, search

Shape = Callable[[float, float], float]
"""The share that is served in time, of a load of so many times the capacity and so many seconds."""


def sharp(times: float, _: float) -> float:
    """Serves what it can, and sheds the rest."""
    return min(1.0, 1 / times)


def collapses(times: float, seconds: float) -> float:
    """A queue without a bound: beyond capacity it grows, and from when the wait has passed the
    timeout on, nobody is served in time. What is looked at begins a little later than the load."""
    return collapsing_within(0.46)(times, seconds)


def collapsing_within(wait_s: float) -> Shape:
    """The same for callers who wait so long."""

    def shape(times: float, seconds: float) -> float:
        if times <= 1:
            return 1.0
        in_time_s, ahead_s = wait_s / (times - 1), min(1.0, seconds / 3)
        return min(1.0, max(0.0, in_time_s - ahead_s) / (seconds - ahead_s))

    return shape


def soft(times: float, _: float) -> float:
    """Loses a little long before it is full."""
    return 1 / (1 + times**6) ** (1 / 6)


def sags(times: float, _: float) -> float:
    """Serves less, the more is asked of it."""
    return min(1.0, 1 / times**1.4)


@dataclass
class Fake:
    """A service of this capacity and shape. Time passes where something is measured."""

    capacity_per_s: float
    shape: Shape = sharp
    client_timeout_s: float = 0.5
    latency_s: float = 0.04
    fails: float = 0.0
    sends_at_most_per_s: float = 1e9
    answers: bool = True
    drifts: float = 1.0
    seed: int = 0
    now_s: float = 0.0
    #: By how much the arrivals of some step were more or fewer than planned, at the most.
    strayed: float = 0.0
    offers: list[tuple[float, float, float]] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)

    def rest(self) -> Rest:
        self.now_s += 10 * self.latency_s
        return Rest(self.latency_s, 10 * self.answers, 10 * self.answers, 10, "no connection")

    def settle(self) -> bool:
        self.now_s += 1.0
        self.settled.append(self.now_s)
        return True

    def offer(self, rate_per_s: float, seconds: float) -> Step:
        self.offers.append((self.now_s, rate_per_s, seconds))
        self.now_s += seconds
        chance = random.Random(f"{self.seed} {len(self.offers)}")
        wanted = rate_per_s * seconds
        offered_per_s = chance.gauss(wanted, wanted**0.5) / seconds
        if wanted >= 200:  # a step, and not the first look, from which nothing is concluded
            self.strayed = max(self.strayed, abs(offered_per_s / rate_per_s - 1))
        served = self.shape(offered_per_s / self.capacity_per_s, seconds) * (1 - self.fails)
        beyond = max(0.0, offered_per_s / self.capacity_per_s - 1)
        grew_s = 0.0 if self.shape in (sharp, soft, sags) else 2 / 3 * seconds * beyond
        self.capacity_per_s *= self.drifts
        return Step(
            rate_per_s,
            seconds,
            offered_per_s,
            offered_per_s * served,
            failed_share=self.fails,
            grew_s=grew_s,
            most_often="status 500" if self.fails else "",
            problem="only 90% was sent" if rate_per_s > self.sends_at_most_per_s else "",
        )


@given(
    st.floats(60, 20_000),
    st.sampled_from([sharp, collapses, sags]),
    st.floats(0.0005, 0.4),
    st.integers(0, 1000),
)
def test_a_capacity_is_found_within_a_tenth_and_chance(
    capacity_per_s: float, shape: Shape, latency_s: float, seed: int
) -> None:
    """Whatever the service's size, its latency at rest and how it gives way: within 10%, and what
    the arrivals of some step strayed from what was planned."""
    fake = Fake(capacity_per_s, shape, latency_s=latency_s, seed=seed)
    found = search(fake)
    near = 0.10 + fake.strayed
    if found.per_s is None:
        assert shape is collapses
        assert_it_held_by_luck(found, capacity_per_s, near)
        return
    assert found.per_s == pytest.approx(capacity_per_s, rel=near)
    assert found.at_least_per_s == found.per_s
    assert found.why_not == ""


def assert_it_held_by_luck(found: Search, capacity_per_s: float, near: float) -> None:
    """No figure is right only where one and the same load, at the very edge of what the service can
    do, was served once and not a second time; and what it did serve is told all the same."""
    *earlier, again = found.steps
    assert again.kind == "repeat"
    assert again.rate_per_s == pytest.approx(capacity_per_s, rel=2 * near)
    assert found.at_least_per_s == pytest.approx(capacity_per_s, rel=near)
    same = [step.goodput_per_s for step in earlier if step.rate_per_s == again.rate_per_s]
    assert found.why_not in {
        f"the same {again.rate_per_s:,.0f} requests a second, offered twice, were served at "
        f"{first_per_s:,.0f} and at {again.goodput_per_s:,.0f} a second"
        for first_per_s in same
        if abs(again.goodput_per_s - first_per_s) > 0.15 * first_per_s
    }


@given(st.floats(3, 60), st.sampled_from([sharp, collapses]), st.integers(0, 1000))
def test_a_slow_service_is_harder_to_measure(
    capacity_per_s: float, shape: Shape, seed: int
) -> None:
    """With 250 requests to a step their number alone varies by 6%, and a queue without a bound
    does not forgive that: within 15% and the farthest that a step's arrivals strayed, which is
    seldom more than 15%; or no figure and the reason."""
    fake = Fake(capacity_per_s, shape, seed=seed)
    found = search(fake)
    near = 0.15 + fake.strayed
    if found.per_s is None:
        assert_it_held_by_luck(found, capacity_per_s, near)
    else:
        assert found.per_s == pytest.approx(capacity_per_s, rel=near)


@pytest.mark.parametrize(("shape", "figures"), [(sharp, 100), (sags, 100), (collapses, 94)])
def test_most_slow_services_get_a_figure(shape: Shape, figures: int) -> None:
    """Of a hundred that do 3 to 56 a second, and each figure is within a quarter."""
    found = [search(Fake(3 * 1.03**seed, shape, seed=seed)).per_s or 0.0 for seed in range(100)]
    near = [abs(per_s / (3 * 1.03**seed) - 1) <= 0.25 for seed, per_s in enumerate(found)]
    assert sum(near) == sum(per_s > 0 for per_s in found) >= figures


@pytest.mark.parametrize("shape", [sharp, collapses, sags])
def test_most_are_within_a_tenth(shape: Shape) -> None:
    """Of a hundred services of all sizes, nine in ten."""
    near = 0
    for seed in range(100):
        capacity_per_s = 60 * 1.05**seed
        per_s = search(Fake(capacity_per_s, shape, seed=seed)).per_s
        near += per_s is not None and abs(per_s / capacity_per_s - 1) <= 0.1
    assert near >= 90, near


@pytest.mark.parametrize("client_timeout_s", [0.1, 0.5, 2.0, 10.0, 30.0])
def test_a_queue_without_a_bound_has_a_capacity_too(client_timeout_s: float) -> None:
    """However long its callers wait: where the step at the edge held by luck, a lower one is
    confirmed. Of a hundred services, 97 get a figure, and 94 one within 10%."""
    found, near = 0, 0
    for seed in range(100):
        capacity_per_s = 60 * 1.05**seed
        shape = collapsing_within(client_timeout_s - 0.04)
        fake = Fake(capacity_per_s, shape, client_timeout_s=client_timeout_s, seed=seed)
        per_s = search(fake).per_s
        found += per_s is not None
        near += per_s is not None and abs(per_s / capacity_per_s - 1) <= 0.1
    assert (found >= 97, near >= 94) == (True, True), (found, near)


@pytest.mark.parametrize("client_timeout_s", [0.5, 2.0, 5.0, 30.0])
def test_a_step_lasts_ten_times_what_a_caller_waits(client_timeout_s: float) -> None:
    """So long that a growing wait shows; but never longer than 20 s for that."""
    found = search(Fake(1000, client_timeout_s=client_timeout_s))
    assert {step.seconds for step in found.steps} == {max(3, min(10 * client_timeout_s, 20))}


def test_a_soft_one_gives_what_it_gives_at_best() -> None:
    """Its goodput has no edge: the highest that was seen, which no step can exceed."""
    found = search(Fake(200, soft))
    assert found.per_s is not None
    assert 150 < found.per_s < 215


@given(st.floats(60, 3000), st.sampled_from([sharp, collapses]), st.integers(0, 100))
def test_each_step_is_as_the_rules_say(capacity_per_s: float, shape: Shape, seed: int) -> None:
    """At least 3 s and 200 requests, each 1.4 times the one before, and the service is at rest
    before each; two in a row are overloaded, and the best is repeated."""
    fake = Fake(capacity_per_s, shape, seed=seed)
    found = search(fake)
    assume(found.found)
    climbs = [step for step in found.steps if step.kind == "step"]
    for step in found.steps:
        assert step.seconds >= 3
        assert step.rate_per_s * step.seconds >= 200
    ratios = [b.rate_per_s / a.rate_per_s for a, b in pairwise(climbs)]
    assert all(ratio == pytest.approx(FACTOR) or ratio < 1 for ratio in ratios)
    assert all(step.is_overloaded for step in climbs[-2:])
    *_, again = found.steps
    assert again.kind == "repeat"
    best = next(s for s in found.steps if s.rate_per_s == again.rate_per_s)
    if best.is_clean and again.is_clean:
        assert found.per_s == pytest.approx(max(best.goodput_per_s, again.goodput_per_s))
    else:
        assert found.per_s == pytest.approx(best.goodput_per_s)
        assert again.goodput_per_s == pytest.approx(best.goodput_per_s, rel=0.15)
    for at_s, _, _ in fake.offers[1:]:
        assert at_s in fake.settled


def test_it_takes_about_a_minute() -> None:
    """For a service like the box office."""
    fake = Fake(190)
    search(fake)
    assert fake.now_s < 60


def test_the_generators_limit_comes_first() -> None:
    """What cannot be sent twice is not concluded from: at least so much."""
    found = search(Fake(5000, sends_at_most_per_s=1500))
    assert (found.found, found.per_s) == (False, None)
    assert "this machine could not send" in found.why_not
    assert found.at_least_per_s is not None
    assert 1000 < found.at_least_per_s < 1600
    assert not found.steps[-1].is_valid


def test_a_moment_of_trouble_is_tried_again() -> None:
    """One step that was not sent on time is made again, and the search goes on."""

    class Once(Fake):
        def offer(self, rate_per_s: float, seconds: float) -> Step:
            step = super().offer(rate_per_s, seconds)
            trouble = len(self.offers) == 4
            return Step(**{n: getattr(step, n) for n in step.__slots__} | (
                {"problem": "busy"} if trouble else {}
            ))  # fmt: skip

    found = search(Once(190))
    assert found.found
    assert all(step.is_valid for step in found.steps)


def test_nothing_answers() -> None:
    """No load is sent at all."""
    fake = Fake(100, answers=False)
    found = search(fake)
    assert found.why_not == "nothing answered (most often: no connection)"
    assert (found.at_least_per_s, fake.offers) == (None, [])


def test_errors_at_the_lowest_step() -> None:
    """More than 5% that are neither late nor shed: something is wrong with the request."""
    found = search(Fake(100, fails=0.12))
    assert "the lowest step, 12% of them failed (most often: status 500)" in found.why_not
    assert len(found.steps) == 1


@pytest.mark.parametrize("fails", [0.0, 0.03])
def test_a_few_errors_do_not_matter(fails: float) -> None:
    """Up to 5% are no reason to stop."""
    assert search(Fake(100, fails=fails)).found


def test_single_requests_that_are_not_answered_as_expected() -> None:
    """It is told before any load."""

    class Wrong(Fake):
        def rest(self) -> Rest:
            return Rest(0.01, 10, 0, 10, "status 404")

    found = search(Wrong(100))
    assert found.why_not.startswith("10 of 10 single requests at rest did not get the answer")
    assert "status 404" in found.why_not


def test_slower_than_the_timeout_at_rest() -> None:
    """It is told before any load."""
    assert (
        "0.80 s, longer than the client timeout of 0.5 s"
        in search(Fake(100, latency_s=0.8)).why_not
    )


def test_a_repeat_that_differs() -> None:
    """A service that fades while it is measured has no capacity to tell."""
    found = search(Fake(400, drifts=0.93))
    assert "offered twice, were served at" in found.why_not
    assert found.at_least_per_s is not None


def test_a_rate_limit_far_below_what_its_latency_promises() -> None:
    """A millisecond each, but ten a second at most: lower steps are tried."""
    found = search(Fake(10, latency_s=0.001))
    assert found.per_s == pytest.approx(10, rel=0.15)


def test_not_even_the_slowest_step() -> None:
    """A service that serves one request in two seconds."""
    found = search(Fake(0.5, latency_s=0.1))
    assert found.why_not == "not even 2.0 requests a second were served in time"


def test_it_tells_what_it_does() -> None:
    """A line for each thing that is offered."""
    told: list[str] = []
    fake = Fake(190)
    search(fake, told.append)
    assert len(told) == len(fake.offers) + 1
