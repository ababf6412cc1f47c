"""A plain function as the limit of the service: what it is asked, and what comes of its answer."""

from __future__ import annotations

from bpdemo.flow.limits.choice import LIMITS
from bpdemo.lab.lessons.limit_rules import RuleLimit, simulate_rule

Call = tuple[float, int, float, bool]


def told(limit: RuleLimit, latency_s: float, now: float, *, dropped: bool = False) -> float:
    limit.learn(10, latency_s, dropped=dropped, now=now, was_full=True)
    return limit.current


def halving(limit: float, _in_flight: int, latency_s: float, dropped: bool) -> float:
    return limit / 2 if dropped or latency_s > 0.2 else limit + 1


def test_a_rule_is_told_of_the_call_and_its_answer_is_the_limit():
    """In the order in which the lesson has its arguments."""
    heard: list[Call] = []

    def rule(*call: float) -> float:
        heard.append(call)  # type: ignore[arg-type]
        return 12.5

    limit = RuleLimit(rule, 20)
    assert told(limit, 0.05, 1.0) == 12.5
    assert heard == [(20, 10, 0.05, False)]


def test_a_cut_holds_for_its_flight():
    """Of four slow calls that were inside together one cuts; a later one cuts again; growth is
    never held up."""
    limit = RuleLimit(halving, 64, cut_once=True)
    assert told(limit, 0.3, 1.0) == 32
    assert told(limit, 0.35, 1.01) == 32
    assert told(limit, 0.1, 1.02) == 33
    assert told(limit, 0.4, 1.3, dropped=True) == 33
    assert told(limit, 0.3, 1.31) == 16.5


def test_without_that_each_slow_call_cuts():
    """As in the published rule."""
    limit = RuleLimit(halving, 64)
    assert [told(limit, 0.3, 1.0 + i / 100) for i in range(3)] == [32, 16, 8]


def test_it_stays_within_its_bounds_also_when_they_move():
    """A rule may answer what it likes."""
    limit = RuleLimit(lambda *_: -3.0, 20, low=2)
    assert told(limit, 0.1, 1.0) == 2
    limit.rebound(5, 6)
    assert limit.current == 5
    grown = RuleLimit(lambda *_: 1e9, 20, high=30)
    assert told(grown, 0.1, 1.0) == 30


def test_the_service_asks_it_and_nothing_stays_replaced():
    """One short run: a rule of four lets four in, and AIMD is itself again afterwards."""
    aimd = LIMITS["aimd"]
    run = simulate_rule(lambda *_: 4.0, times=2, seconds=3)
    assert set(run.frame.limit[run.frame.t_s >= 1]) == {4.0}
    assert run.frame.workers_busy[run.frame.t_s >= 1].max() <= 4
    assert LIMITS["aimd"] is aimd
