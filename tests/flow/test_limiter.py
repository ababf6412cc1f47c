"""The gate counts; the algorithm behind it learns only from what says something of the load."""

from math import inf
from typing import Any, cast

import pytest

from bpdemo.flow.limiter import FixedLimit, Limit, Limiter, can_learn
from tests.flow.helpers import Clock


class Halving:
    """An adaptive limit of the simplest sort: halves at each drop, else grows by one."""

    def __init__(self, current: float) -> None:
        self.current = current
        self.samples: list[tuple[int, float, bool, float, bool]] = []

    def learn(
        self, in_flight: int, latency_s: float, *, dropped: bool, now: float, was_full: bool
    ) -> None:
        self.samples.append((in_flight, latency_s, dropped, now, was_full))
        self.current = max(1, self.current / 2) if dropped else self.current + 1


def test_it_lets_in_as_many_as_the_limit_says() -> None:
    """The next one gets None; each end, whichever it is, makes room for one."""
    limiter = Limiter(FixedLimit(2), Clock())
    first, second = limiter.try_acquire(), limiter.try_acquire()
    assert first
    assert second
    for end in (first.success, second.drop):
        assert limiter.try_acquire() is None
        end()
        third = limiter.try_acquire()
        assert third
        assert limiter.in_flight == 2
    third.ignore()
    assert limiter.in_flight == 1


def test_a_promised_permit_counts_even_above_a_limit_that_has_shrunk() -> None:
    """And nobody else is let in until enough have ended."""
    limiter = Limiter(FixedLimit(1), Clock())
    first, promised = limiter.acquire(), limiter.acquire()
    assert limiter.in_flight == 2
    first.success()
    assert limiter.try_acquire() is None
    promised.success()
    assert limiter.try_acquire()


def test_zero_is_no_limit() -> None:
    """0 turns the limit off, not the service."""
    limiter = Limiter(FixedLimit(0), Clock())
    assert limiter.limit.current == inf
    assert all(limiter.try_acquire() for _ in range(1000))
    assert limiter.in_flight == 1000


@pytest.mark.parametrize("first", ["success", "ignore", "drop", "shed"])
@pytest.mark.parametrize("second", ["success", "ignore", "drop", "shed"])
def test_a_permit_ended_twice_counts_once(first: str, second: str) -> None:
    """Else two would be let in for one that left."""
    limit = Halving(4)
    limiter = Limiter(limit, Clock())
    limiter.try_acquire()
    permit = limiter.try_acquire()
    getattr(permit, first)()
    learnt = len(limit.samples)
    getattr(permit, second)()
    assert limiter.in_flight == 1
    assert len(limit.samples) == learnt


def test_the_algorithm_hears_of_all_but_the_ignored() -> None:
    """With the latency of each, how many were in flight, itself included, when it ended, and
    whether one more would have been refused."""
    clock, limit = Clock(), Halving(3)
    limiter = Limiter(limit, clock)
    permits = [limiter.try_acquire() for _ in range(3)]
    assert all(permits)
    for permit, end in zip(permits, ("success", "ignore", "drop"), strict=True):
        clock.advance(0.5)
        getattr(permit, end)()
    assert limit.samples == [(3, 0.5, False, 0.5, True), (1, 1.5, True, 1.5, False)]


def test_an_adaptive_limit_fits_behind_the_same_gate() -> None:
    """After a drop half as many are let in; nobody who is inside is sent away."""
    limiter = Limiter(Halving(4), Clock())
    permits = [limiter.try_acquire() for _ in range(4)]
    assert permits[0]
    assert permits[1]
    permits[0].drop()
    assert limiter.in_flight == 3
    assert limiter.try_acquire() is None
    permits[1].success()  # the limit is 3 now, and two are inside
    assert limiter.try_acquire()
    assert limiter.try_acquire() is None


def test_the_limit_may_be_replaced_while_calls_are_in_flight() -> None:
    """Those inside are still counted."""
    limiter = Limiter(FixedLimit(1), Clock())
    permit = limiter.try_acquire()
    assert permit
    limiter.limit = FixedLimit(2)
    assert limiter.try_acquire()
    assert limiter.try_acquire() is None
    limiter.limit = FixedLimit(1)
    permit.success()
    assert limiter.try_acquire() is None


class Grumpy:
    """A limit that raises when it is read, or when it is to learn."""

    def __init__(self) -> None:
        self.reads: float | None = 2.0
        self.learns = False
        self.learnt: list[int] = []

    @property
    def current(self) -> float:
        if self.reads is None:
            raise ZeroDivisionError
        return self.reads

    def learn(self, in_flight: int, latency_s: float, **_: object) -> None:
        self.learnt.append(in_flight)
        if not self.learns:
            raise ZeroDivisionError


@pytest.mark.parametrize("end", ["success", "drop"])
def test_a_limit_that_raises_while_it_learns_keeps_no_place(end: str) -> None:
    """However often; the error shows, the permit is ended, and the next one finds its place."""
    limit = Grumpy()
    limiter = Limiter(limit, Clock())
    for _ in range(10):
        first, second = limiter.try_acquire(), limiter.try_acquire()
        assert first
        assert second
        for permit in (first, second):
            with pytest.raises(ZeroDivisionError):
                getattr(permit, end)()
            getattr(permit, end)()  # it was ended, and is not ended again
        assert limiter.in_flight == 0
    assert limit.learnt == [2, 1] * 10  # itself included, as ever


def test_a_limit_that_cannot_be_read_takes_no_place() -> None:
    """And lets in again when it can."""
    limit = Grumpy()
    limiter = Limiter(limit, Clock())
    limit.reads = None
    for _ in range(10):
        with pytest.raises(ZeroDivisionError):
            limiter.try_acquire()
    assert limiter.in_flight == 0
    limit.reads = 2.0
    assert limiter.try_acquire()


def test_a_clock_that_raises_takes_and_keeps_no_place() -> None:
    """Neither on the way in nor on the way out."""
    clock: list[float] = []
    limiter = Limiter(FixedLimit(1), clock.pop)
    with pytest.raises(IndexError):
        limiter.try_acquire()
    clock.append(1.0)
    permit = limiter.try_acquire()
    assert permit
    with pytest.raises(IndexError):
        permit.success()
    assert limiter.in_flight == 0


class Older:
    """A limit from before `now` and `was_full`."""

    current = 2.0

    def __init__(self) -> None:
        self.samples: list[tuple[int, float, bool]] = []

    def learn(self, in_flight: int, latency_s: float, *, dropped: bool) -> None:
        self.samples.append((in_flight, latency_s, dropped))


@pytest.mark.parametrize("asked", ["now", "was_full"])
def test_a_limit_may_ask_for_one_of_the_two(asked: str) -> None:
    """It is told that one, and not the other."""
    heard: list[dict[str, Any]] = []

    class Half:
        current = 4.0

        def learn_now(self, in_flight: int, latency_s: float, *, dropped: bool, now: float) -> None:
            heard.append({"now": now})

        def learn_was_full(
            self, in_flight: int, latency_s: float, *, dropped: bool, was_full: bool
        ) -> None:
            heard.append({"was_full": was_full})

    limit: Any = Half()
    limit.learn = getattr(limit, f"learn_{asked}")
    assert can_learn(limit)
    clock = Clock()
    permit = Limiter(limit, clock).acquire()
    clock.advance(0.5)
    permit.success()
    assert heard == [{"now": 0.5} if asked == "now" else {"was_full": False}]


def test_a_limit_that_asks_for_less_is_told_less() -> None:
    """One that somebody took home before there was more to tell works on as it did."""
    limit, clock = Older(), Clock()
    limiter = Limiter(cast(Limit, limit), clock)
    permit = limiter.try_acquire()
    assert permit
    clock.advance(0.5)
    permit.drop()
    assert limit.samples == [(1, 0.5, True)]


def test_what_was_before_a_permit_began_is_not_its_own() -> None:
    """A place that was held while its caller still sent is a place; its latency starts later."""
    clock, limit = Clock(), Halving(3)
    permit = Limiter(limit, clock).acquire()
    clock.advance(5.0)
    permit.begin(4.0)
    permit.success()
    assert limit.samples == [(1, 1.0, False, 5.0, False)]


def test_a_negative_limit_is_refused_when_made() -> None:
    """A slice is validated when made."""
    with pytest.raises(ValueError, match="limit"):
        FixedLimit(-1)


def test_who_gives_up_sooner_than_the_service_answers_is_not_heard_of() -> None:
    """Their place comes free; the limit hears of who waited longer than that, and of a refusal
    further in however soon."""
    clock, limit = Clock(), Halving(1000)
    limiter = Limiter(limit, clock)

    def ends(how: str, after_s: float) -> list[bool]:
        permit, before = limiter.acquire(), len(limit.samples)
        clock.advance(after_s)
        getattr(permit, how)()
        assert limiter.in_flight == 0
        return [dropped for _, _, dropped, _, _ in limit.samples[before:]]

    assert ends("drop", 0.001) == [True]  # nothing is known yet of the service
    assert [ends("success", 0.1) for _ in range(100)] == [[False]] * 100
    assert ends("drop", 0.001) == []
    assert ends("drop", 0.099) == []
    assert ends("drop", 0.101) == [True]
    assert ends("shed", 0.001) == [True]


def test_what_the_service_takes_of_its_own_outlives_the_limit() -> None:
    """Another algorithm, or another start, does not make it another service."""
    clock = Clock()
    limiter = Limiter(Halving(1000), clock)
    for _ in range(100):
        permit = limiter.acquire()
        clock.advance(0.1)
        permit.success()
    limiter.limit = limit = Halving(7)
    limiter.acquire().drop()
    assert limit.samples == []
