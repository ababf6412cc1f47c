"""The breaker opens on evidence, lets in exactly its probes, and can neither wedge nor crowd."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from bpdemo.core.errors import CircuitOpen
from bpdemo.core.events import BreakerMoved, BreakerState
from bpdemo.flow.breaker import GRACE_S, Breaker, BreakerPolicy, Permit
from tests.flow.helpers import Clock, Ears
from tests.support.policies import usual

POLICY = usual(
    BreakerPolicy,
    failure_ratio=0.5,
    min_calls=4,
    window_s=10,
    open_s=5,
    half_open_calls=3,
    permit_ttl_s=1,
)
LAPSED_S = POLICY.permit_ttl_s + GRACE_S + 0.01


class Bench:
    """A breaker with its clock and its events."""

    def __init__(self, policy: BreakerPolicy = POLICY) -> None:
        self.clock = Clock(now=1000.0)
        self.ears = Ears()
        self.breaker = Breaker(policy, "payment", self.clock, self.ears)

    @property
    def moves(self) -> list[BreakerState]:
        assert all(event.dependency == "payment" for event in self.ears.heard(BreakerMoved))
        return [event.to for event in self.ears.heard(BreakerMoved)]

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            self.breaker.failure(self.breaker.acquire())

    def succeed(self, times: int = 1) -> None:
        for _ in range(times):
            self.breaker.success(self.breaker.acquire())

    def trip(self) -> None:
        self.fail(4)
        assert self.breaker.state == "open"

    def probes(self, count: int = 3) -> list[Permit]:
        """Half-open, with that many probes out."""
        self.trip()
        self.clock.advance(5.0)
        return [self.breaker.acquire() for _ in range(count)]

    def lets_in(self) -> bool:
        try:
            self.breaker.acquire()
        except CircuitOpen:
            return False
        return True


# Opening


def test_a_whole_life_as_its_events() -> None:
    """Closed, open, half-open, open again, half-open, closed: one event for each move."""
    bench = Bench()
    bench.trip()
    bench.clock.advance(5.0)
    bench.fail()
    bench.clock.advance(5.0)
    bench.succeed(3)
    assert bench.moves == ["open", "half_open", "open", "half_open", "closed"]


def test_it_does_not_judge_before_min_calls() -> None:
    """Three failures of three are not evidence when four calls are asked for."""
    bench = Bench()
    bench.fail(3)
    assert bench.breaker.state == "closed"
    bench.fail()
    assert bench.moves == ["open"]


@pytest.mark.parametrize("order", ["SSFF", "FFSS", "FSFS", "SFFS"])
def test_it_opens_at_the_ratio_in_whatever_order_the_calls_ended(order: str) -> None:
    """Two of four failed: that is the ratio, also if the call that made it four succeeded."""
    bench = Bench()
    for end in order:
        assert bench.breaker.state == "closed"
        bench.fail() if end == "F" else bench.succeed()
    assert bench.moves == ["open"]


def test_below_the_ratio_it_stays_closed() -> None:
    """Nine of twenty at a ratio of one half open nothing, however long that goes on."""
    bench = Bench()
    for _ in range(100):
        bench.succeed(11)
        bench.fail(9)
    assert bench.moves == []


@pytest.mark.parametrize("failed", range(1, 101))
def test_the_ratio_is_met_exactly(failed: int) -> None:
    """k failures of 100 meet the ratio k/100, although k/100 × 100 may be more than k."""
    policy = dataclasses.replace(POLICY, min_calls=100, failure_ratio=failed / 100)
    bench = Bench(policy)
    bench.succeed(100 - failed)
    bench.fail(failed - 1)
    assert bench.breaker.state == "closed"
    bench.fail()
    assert bench.breaker.state == "open"


def test_ratio_zero_opens_at_the_first_failure_but_not_without_one() -> None:
    """No share of failures is needed, yet some failure is."""
    bench = Bench(dataclasses.replace(POLICY, failure_ratio=0))
    bench.succeed(50)
    assert bench.moves == []
    bench.fail()
    assert bench.moves == ["open"]


def test_old_failures_are_forgotten() -> None:
    """What failed more than a window ago does not add to what fails now."""
    bench = Bench()
    bench.fail(3)
    bench.clock.advance(10.0)
    bench.fail(3)
    assert bench.moves == []


def test_ignored_calls_are_no_evidence() -> None:
    """A call that was left or cut short counts neither as a call nor as a failure."""
    bench = Bench()
    for _ in range(100):
        bench.breaker.ignore(bench.breaker.acquire())
    bench.fail(3)
    assert bench.moves == []


# Open


def test_open_refuses_and_says_for_how_long() -> None:
    """The refusal carries the time until the first probe; at that time one is let in."""
    bench = Bench()
    bench.trip()
    bench.clock.advance(1.5)
    with pytest.raises(CircuitOpen) as refusal:
        bench.breaker.acquire()
    assert refusal.value.retry_after_s == pytest.approx(3.5)
    assert bench.breaker.half_opens_in_s == pytest.approx(3.5)
    bench.clock.advance(3.5)
    assert bench.breaker.half_opens_in_s == 0
    assert bench.breaker.state == "open"  # nobody has called yet
    assert bench.lets_in()
    assert bench.moves == ["open", "half_open"]


def test_check_refuses_like_acquire_but_takes_nothing() -> None:
    """However often one asks, all three probes are still to be had."""
    bench = Bench()
    bench.breaker.check()
    bench.trip()
    with pytest.raises(CircuitOpen):
        bench.breaker.check()
    bench.clock.advance(5.0)
    for _ in range(10):
        bench.breaker.check()
    assert bench.moves == ["open"]
    for _ in range(3):
        bench.breaker.acquire()
    with pytest.raises(CircuitOpen):
        bench.breaker.check()


# Half-open


@pytest.mark.parametrize("count", [1, 3, 10])
def test_exactly_n_probes_are_let_in(count: int) -> None:
    """The crowd that waited for the end of OPEN is refused but for N."""
    bench = Bench(dataclasses.replace(POLICY, half_open_calls=count))
    bench.trip()
    bench.clock.advance(5.0)
    assert [bench.lets_in() for _ in range(count + 50)] == [True] * count + [False] * 50


def test_a_success_does_not_make_room_for_another_probe() -> None:
    """N probes decide, not N at a time: with two of three back, only the third is out."""
    bench = Bench()
    first, second, _ = bench.probes()
    bench.breaker.success(first)
    bench.breaker.success(second)
    assert not bench.lets_in()
    assert bench.breaker.state == "half_open"


def test_all_probes_succeed_and_it_closes() -> None:
    """It closes with the last of them, with a clean slate: old failures have no say."""
    bench = Bench()
    for permit in bench.probes():
        assert bench.breaker.state == "half_open"
        bench.breaker.success(permit)
    assert bench.breaker.state == "closed"
    bench.fail(3)
    assert bench.moves == ["open", "half_open", "closed"]


def test_the_first_failed_probe_opens_it_for_a_full_period() -> None:
    """Two successes do not outweigh it, and the time runs from now."""
    bench = Bench()
    first, second, third = bench.probes()
    bench.breaker.success(first)
    bench.breaker.success(second)
    bench.clock.advance(0.5)
    bench.breaker.failure(third)
    assert bench.moves == ["open", "half_open", "open"]
    assert bench.breaker.half_opens_in_s == 5.0


def test_an_ignored_probe_gives_its_place_back() -> None:
    """A probe whose caller left neither wedges the breaker nor counts as a success."""
    bench = Bench()
    first, second, third = bench.probes()
    bench.breaker.ignore(second)
    fourth = bench.breaker.acquire()
    assert not bench.lets_in()
    for permit in (first, third):
        bench.breaker.success(permit)
    assert bench.breaker.state == "half_open"
    bench.breaker.success(fourth)
    assert bench.breaker.state == "closed"


def test_a_probe_ignored_twice_gives_back_one_place() -> None:
    """However often a permit is ended, it was one."""
    bench = Bench()
    first, *_ = bench.probes()
    for _ in range(3):
        bench.breaker.ignore(first)
    assert [bench.lets_in() for _ in range(3)] == [True, False, False]


def test_a_silent_probe_lapses_and_its_place_goes_to_another() -> None:
    """Just before its time is over nobody else gets in; just after, exactly three do."""
    bench = Bench()
    bench.probes()
    bench.clock.advance(POLICY.permit_ttl_s)
    assert not bench.lets_in()
    bench.clock.now = 1000 + 5 + LAPSED_S
    assert [bench.lets_in() for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize("end", ["failure", "ignore"])
def test_what_a_lapsed_probe_reports_late_says_nothing_unless_it_succeeded(end: str) -> None:
    """A late failure neither opens, nor makes room beyond the place that has been given away."""
    bench = Bench()
    late = bench.probes()
    bench.clock.advance(LAPSED_S)
    for permit in late:
        getattr(bench.breaker, end)(permit)
    assert bench.breaker.state == "half_open"
    assert [bench.lets_in() for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "not noticed"])
@pytest.mark.parametrize("late_s", [LAPSED_S, 60.0, 3600.0])
def test_a_late_success_of_the_same_half_open_time_counts(late_s: float, noticed: bool) -> None:
    """However late, and whether or not anybody asked meanwhile: three of them close it."""
    bench = Bench()
    late = bench.probes()
    bench.clock.advance(late_s)
    if noticed:
        bench.breaker.check()
    for permit in late:
        assert bench.breaker.state == "half_open"
        bench.breaker.success(permit)
    assert bench.breaker.state == "closed"


def test_late_successes_and_those_in_time_add_up() -> None:
    """Two came late and one in time: that makes three, and others are not asked for."""
    bench = Bench()
    first, second, _ = bench.probes()
    bench.clock.advance(LAPSED_S)
    fourth = bench.breaker.acquire()
    bench.breaker.success(first)
    assert bench.lets_in()
    assert not bench.lets_in(), "two are out, and one has succeeded"
    bench.breaker.success(second)
    assert bench.breaker.state == "half_open"
    bench.breaker.success(fourth)
    assert bench.moves == ["open", "half_open", "closed"]


def test_a_late_success_counts_once() -> None:
    """However often a lapsed permit is ended, it was one."""
    bench = Bench()
    late, *_ = bench.probes()
    bench.clock.advance(LAPSED_S)
    bench.breaker.check()
    for _ in range(5):
        bench.breaker.success(late)
    assert bench.breaker.state == "half_open"


@pytest.mark.parametrize("first", ["failure", "ignore"])
def test_a_lapsed_permit_that_ended_cannot_succeed_afterwards(first: str) -> None:
    """Its first end is its end."""
    bench = Bench(dataclasses.replace(POLICY, half_open_calls=1))
    (late,) = bench.probes(1)
    bench.clock.advance(LAPSED_S)
    bench.breaker.check()
    getattr(bench.breaker, first)(late)
    bench.breaker.success(late)
    assert bench.breaker.state == "half_open"


@pytest.mark.parametrize("end", ["success", "failure", "ignore"])
def test_a_lapsed_probe_has_no_say_in_the_next_half_open_time(end: str) -> None:
    """It lapsed, the breaker opened and half-opened again: now its permit is stale."""
    bench = Bench()
    late = bench.probes()
    bench.clock.advance(LAPSED_S)
    bench.fail()
    bench.clock.advance(5.0)
    probes = [bench.breaker.acquire() for _ in range(3)]
    for permit in late:
        getattr(bench.breaker, end)(permit)
    assert bench.breaker.state == "half_open"
    assert not bench.lets_in(), "it freed a place that was not its own"
    for permit in probes:
        bench.breaker.success(permit)
    assert bench.moves == ["open", "half_open", "open", "half_open", "closed"]


def test_every_lapsed_permit_frees_its_place_time_after_time() -> None:
    """Probes that never report are replaced for ever: three each time, and never more."""
    bench = Bench()
    bench.trip()
    bench.clock.advance(5.0)
    for _ in range(100):
        assert [bench.lets_in() for _ in range(5)] == [True, True, True, False, False]
        bench.clock.advance(LAPSED_S)
    assert bench.moves == ["open", "half_open"]


def test_a_probe_that_times_out_is_a_failure_and_not_late() -> None:
    """Its timeout and its permit's end fall on one moment; a timer that fires late still counts."""
    bench = Bench()
    first, *_ = bench.probes()
    bench.clock.advance(POLICY.permit_ttl_s + GRACE_S / 2)
    bench.breaker.failure(first)
    assert bench.breaker.state == "open"


@pytest.mark.parametrize("end", ["success", "failure", "ignore"])
def test_a_call_from_before_it_opened_has_no_say(end: str) -> None:
    """Permits of an earlier state are stale while open, half-open and closed again."""
    bench = Bench()
    old = [bench.breaker.acquire() for _ in range(50)]
    bench.trip()
    getattr(bench.breaker, end)(old.pop())
    assert bench.moves == ["open"]
    bench.clock.advance(5.0)
    probes = [bench.breaker.acquire() for _ in range(3)]
    for _ in range(10):
        getattr(bench.breaker, end)(old.pop())
    assert bench.breaker.state == "half_open"
    assert not bench.lets_in()
    for permit in probes:
        bench.breaker.success(permit)
    for permit in old:
        getattr(bench.breaker, end)(permit)
    assert bench.moves == ["open", "half_open", "closed"]


def test_probes_of_an_earlier_half_open_have_no_say_in_the_next() -> None:
    """Two that were out when the third failed neither close it, nor take a place, nor free one."""
    bench = Bench(dataclasses.replace(POLICY, permit_ttl_s=60))  # so that none has lapsed
    first, *rest = bench.probes()
    bench.breaker.failure(first)
    bench.clock.advance(5.0)
    again = [bench.breaker.acquire() for _ in range(3)]
    for permit in rest:
        bench.breaker.success(permit)
    bench.breaker.success(again[0])
    assert bench.breaker.state == "half_open"
    assert not bench.lets_in()


# Retuning


def test_disabling_closes_it_and_nothing_opens_it_any_more() -> None:
    """Also when probes are out; enabled again, it starts with a clean slate."""
    bench = Bench()
    late = bench.probes()
    bench.breaker.retune(dataclasses.replace(POLICY, enabled=False))
    assert bench.breaker.state == "closed"
    for permit in late:
        bench.breaker.failure(permit)
    bench.fail(1000)
    bench.breaker.retune(POLICY)
    bench.fail(3)
    assert bench.moves == ["open", "half_open", "closed"]
    bench.fail()
    assert bench.moves[-1] == "open"


def test_the_same_policy_again_keeps_the_counts() -> None:
    """Turning some other knob of the service must not reset the breaker."""
    bench = Bench()
    bench.fail(3)
    bench.breaker.retune(dataclasses.replace(POLICY))
    bench.fail()
    assert bench.breaker.state == "open"


def test_a_shorter_rest_applies_to_the_rest_under_way() -> None:
    """`open_s` turned down lets the first probe in sooner."""
    bench = Bench()
    bench.trip()
    bench.clock.advance(1.0)
    bench.breaker.retune(dataclasses.replace(POLICY, open_s=1))
    assert bench.lets_in()


@pytest.mark.parametrize("calls", [1, 2])
def test_fewer_probes_asked_for_than_have_succeeded_closes_it(calls: int) -> None:
    """Two have succeeded and none is out: asking for two or fewer must not wedge it half-open."""
    bench = Bench()
    first, second, third = bench.probes()
    bench.breaker.success(first)
    bench.breaker.success(second)
    bench.breaker.ignore(third)
    bench.breaker.retune(dataclasses.replace(POLICY, half_open_calls=calls))
    assert bench.lets_in()
    assert bench.breaker.state == "closed"


def test_a_longer_time_for_probes_brings_none_back_that_has_lapsed() -> None:
    """Its place is free already, and stays so."""
    bench = Bench()
    bench.probes()
    bench.clock.advance(LAPSED_S)
    bench.breaker.retune(dataclasses.replace(POLICY, permit_ttl_s=60))
    assert [bench.lets_in() for _ in range(4)] == [True, True, True, False]


def test_more_probes_asked_for_lets_more_in() -> None:
    """Those that succeeded count on."""
    bench = Bench()
    bench.breaker.success(bench.probes()[0])
    bench.breaker.retune(dataclasses.replace(POLICY, half_open_calls=5))
    assert [bench.lets_in() for _ in range(3)] == [True, True, False]


# The clock


def test_a_jump_of_the_clock_lapses_and_half_opens_but_never_wedges() -> None:
    """A laptop that slept for a day finds a breaker that can be used."""
    bench = Bench()
    bench.probes()
    bench.clock.advance(86_400.0)
    bench.succeed(3)
    assert bench.breaker.state == "closed"


def test_a_step_back_lets_no_crowd_in() -> None:
    """Probes do not lapse early, nor does the breaker half-open early."""
    bench = Bench()
    bench.trip()
    bench.clock.advance(-2.0)
    assert not bench.lets_in()
    bench.clock.advance(7.0)
    assert [bench.lets_in() for _ in range(4)] == [True, True, True, False]
    bench.clock.advance(-7.0)
    assert not bench.lets_in()


@pytest.mark.parametrize(
    "wrong",
    [
        {"failure_ratio": -0.1},
        {"failure_ratio": 1.1},
        {"min_calls": 0},
        {"half_open_calls": 0},
        {"window_s": -1},
        {"open_s": -1},
        {"permit_ttl_s": -1},
    ],
    ids=str,
)
def test_a_policy_that_cannot_be_is_refused_when_made(wrong: dict[str, Any]) -> None:
    """A slice is validated when made."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        usual(BreakerPolicy, **wrong)


def test_the_do_nothing_extremes_work() -> None:
    """No rest, no window, no ttl, one call: all are in range."""
    policy = usual(
        BreakerPolicy,
        min_calls=1,
        window_s=0,
        open_s=0,
        half_open_calls=1,
        permit_ttl_s=0,
        failure_ratio=1,
    )
    bench = Bench(policy)
    bench.fail()
    bench.succeed()
    assert bench.moves == ["open", "half_open", "closed"]


# Any history whatever


@dataclasses.dataclass(eq=False)
class Held:
    """A permit somebody holds, and what the model knows of it."""

    permit: Permit
    era: int
    granted_s: float


POLICIES = [
    POLICY,
    dataclasses.replace(POLICY, half_open_calls=1, failure_ratio=0),
    dataclasses.replace(POLICY, half_open_calls=2, min_calls=2, failure_ratio=1, open_s=0),
    dataclasses.replace(POLICY, half_open_calls=5, permit_ttl_s=3, min_calls=3, failure_ratio=0.7),
    dataclasses.replace(POLICY, enabled=False),
    dataclasses.replace(POLICY, permit_ttl_s=30),
]


class BreakerMachine(RuleBasedStateMachine):
    """Beside a model that keeps every call and every probe in plain lists."""

    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.policy = POLICY
        self.state: BreakerState = "closed"
        self.era = 0
        self.moves: list[BreakerState] = []
        self.ended: list[tuple[float, bool]] = []
        self.probes: list[Held] = []
        self.lapsed: list[Held] = []
        self.successes = 0
        self.opened_s = 0.0

    @property
    def now(self) -> float:
        return self.bench.clock()

    def move_to(self, state: BreakerState) -> None:
        self.state = state
        self.moves.append(state)
        self.era += 1
        self.probes, self.lapsed, self.successes, self.ended = [], [], 0, []
        self.opened_s = self.now

    def lapse(self) -> None:
        oldest_s = self.now - self.policy.permit_ttl_s - GRACE_S
        self.lapsed += [probe for probe in self.probes if probe.granted_s < oldest_s]
        self.probes = [probe for probe in self.probes if probe.granted_s >= oldest_s]

    def would_admit(self) -> bool:
        if self.state == "closed":
            return True
        if self.state == "open":
            # By a sum, as the breaker does: a difference may be a trifle less than the rest.
            return self.opened_s + self.policy.open_s - self.now <= 0
        self.lapse()
        return len(self.probes) + self.successes < self.policy.half_open_calls

    @rule(target=held)
    def acquire(self) -> Any:
        expected = self.would_admit()
        try:
            permit = self.bench.breaker.acquire()
        except CircuitOpen:
            assert not expected
            return Held(-1, -1, self.now)
        assert expected
        if self.state == "open":
            self.move_to("half_open")
        mine = Held(permit, self.era, self.now)
        if self.state == "half_open":
            self.probes.append(mine)
        return mine

    @rule(mine=consumes(held), how=st.sampled_from(["success", "failure", "ignore"]))
    def end(self, mine: Held, how: str) -> None:
        report: Callable[[Permit], None] = getattr(self.bench.breaker, how)
        report(mine.permit)
        if mine.era != self.era:
            return
        if self.state == "closed":
            if how != "ignore" and self.policy.enabled:
                self.ended.append((self.now, how == "failure"))
                self.judge()
            return
        self.lapse()
        in_time = mine in self.probes
        (self.probes if in_time else self.lapsed).remove(mine)
        if how == "failure" and in_time:
            self.move_to("open")
        elif how == "success":
            self.successes += 1
            self.judge_probes()

    def judge(self) -> None:
        recent = [failed for at, failed in self.ended if self.now // 1 - at // 1 < 10]
        failed = sum(recent)
        enough = len(recent) >= self.policy.min_calls
        if enough and failed and failed / len(recent) >= self.policy.failure_ratio:
            self.move_to("open")

    def judge_probes(self) -> None:
        if self.successes >= self.policy.half_open_calls:
            self.move_to("closed")

    @rule()
    def trip(self) -> None:
        """What chance seldom does: enough failures in a row, and the rest that follows."""
        for _ in range(20):
            if self.state != "closed" or not self.policy.enabled:
                break
            self.end(self.acquire(), "failure")
        self.bench.clock.advance(self.policy.open_s)

    @rule()
    def half_open_and_late(self) -> None:
        """What chance seldom does either: probes that are out for too long, and report then."""
        self.trip()
        late = [self.acquire() for _ in range(3)]
        self.bench.clock.advance(self.policy.permit_ttl_s + GRACE_S + 0.25)
        self.end(late[0], "success")
        self.acquire()
        self.end(late[1], "failure")

    @rule(by_s=st.sampled_from([0.25, 1.0, 1.25, 5.0, 11.0]))
    def pass_time(self, by_s: float) -> None:
        self.bench.clock.advance(by_s)

    @rule(policy=st.sampled_from(POLICIES))
    def retune(self, policy: BreakerPolicy) -> None:
        self.bench.breaker.retune(policy)
        if policy != self.policy:
            self.policy = policy
            self.ended = []
            if not policy.enabled and self.state != "closed":
                self.move_to("closed")
            elif self.state == "half_open":
                self.judge_probes()

    @invariant()
    def moves_as_the_model_does(self) -> None:
        assert self.bench.moves == self.moves
        assert self.bench.breaker.state == self.state

    @invariant()
    def lets_no_crowd_in(self) -> None:
        if self.state == "half_open":
            self.lapse()
            out = len(self.probes) + self.successes
            assert out <= max(policy.half_open_calls for policy in POLICIES)

    def teardown(self) -> None:
        self.bench.clock.advance(1000.0)
        assert self.bench.lets_in(), "wedged"


TestBreakerMachine = BreakerMachine.TestCase
