"""The claims of lesson 11: take away what each of them rests on, and it fails by its own words."""

from __future__ import annotations

from typing import Any

import pytest

from bpdemo.flow.limits.aimd import AIMD
from bpdemo.flow.limits.bounds import bounded
from bpdemo.flow.limits.gradient import Gradient
from bpdemo.flow.limits.gradient2 import Gradient2
from bpdemo.flow.limits.own import OurLimit
from bpdemo.lab.lessons.limit_rules import RuleLimit
from bpdemo.service.gate import Gate
from tests.support.claims import play, refute

LESSON = "11_limits_that_find_themselves"


def test_a_rule_that_heard_sooner_would_serve(monkeypatch: pytest.MonkeyPatch):
    """Told of each call as if it had taken ten times as long, the published timeout cuts."""
    learn = RuleLimit.learn

    def learn_tenfold(self: RuleLimit, in_flight: int, latency_s: float, **told: Any) -> None:
        learn(self, in_flight, 25 * latency_s, **told)

    monkeypatch.setattr(RuleLimit, "learn", learn_tenfold)
    assert "nor does a limit whose timeout" in refute(LESSON, "timeout")


def test_as_the_lesson_stands_the_sawtooth_is_cut_once():
    """Unbroken."""
    play(LESSON, "sawtooth")


def test_a_flight_that_is_not_told_apart_is_cut_by_every_call(monkeypatch: pytest.MonkeyPatch):
    """`cut_once` that is ignored gives the first sawtooth twice."""
    init = RuleLimit.__init__

    def forgetful(self: RuleLimit, *args: Any, cut_once: bool = False, **how: Any) -> None:
        init(self, *args, **how)

    monkeypatch.setattr(RuleLimit, "__init__", forgetful)
    assert "cut once a flight, it serves nearly all" in refute(LESSON, "sawtooth")


def test_a_gate_that_lets_everyone_in_is_no_rival(monkeypatch: pytest.MonkeyPatch):
    """Limits that nobody enforces: the well-sized one is as far behind as all."""
    enter = Gate.enter

    def enter_anyway(self: Gate, client: str, *, is_order: bool = False) -> Any:
        limiter = self._orders if self._policy.limit.adapts else self._limiter
        monkeypatch.setattr(type(limiter), "try_acquire", lambda self: self.acquire())
        return enter(self, client, is_order=is_order)

    monkeypatch.setattr(Gate, "enter", enter_anyway)
    assert "one that adapts serves nearly all" in refute(LESSON, "rival")


def test_limits_that_learn_nothing_are_fixed_ones_of_another_day(monkeypatch: pytest.MonkeyPatch):
    """Those that adapt stay at four times what they began with."""
    for kind in (Gradient2, OurLimit):
        monkeypatch.setattr(kind, "learn", lambda self, *call, **told: setattr(self, "current", 32))
    assert "one that adapts serves nearly all" in refute(LESSON, "rival")


@pytest.mark.slow
def test_a_reference_that_never_rises_does_not_drift(monkeypatch: pytest.MonkeyPatch):
    """Gradient2 with the least window in place of its average serves for twelve minutes."""
    update = Gradient2._update

    def update_downwards(self: Gradient2, short_s: float) -> None:
        before_s = self._long_s or short_s
        update(self, short_s)
        self._long_s = min(before_s, short_s)

    monkeypatch.setattr(Gradient2, "_update", update_downwards)
    assert "after ten minutes hardly any are served" in refute(LESSON, "drift")


def test_a_probe_that_is_not_pinned_leaves_nobody_idle(monkeypatch: pytest.MonkeyPatch):
    """Envoy's gradient that measures at two orders a worker."""
    init = Gradient.__init__

    def pinned_high(self: Gradient, *args: Any, **how: Any) -> None:
        init(self, *args, **{"pinned": 16, **how})

    monkeypatch.setattr(Gradient, "__init__", pinned_high)
    assert "a probe leaves workers idle" in refute(LESSON, "exploring")


def test_dips_that_go_below_the_workers_leave_them_idle(monkeypatch: pytest.MonkeyPatch):
    """Ours, if it dipped to a single order each time."""
    begin = OurLimit._begin

    def begin_deep(self: OurLimit, stretches: int, limit: float, inside: int) -> None:
        begin(self, stretches, 1 if stretches == 1 else limit, inside)
        self._dip = min(self._dip, 1) if stretches == 1 else self._dip

    monkeypatch.setattr(OurLimit, "_begin", begin_deep)
    assert "small steps do not" in refute(LESSON, "exploring")


@pytest.mark.load
@pytest.mark.slow
@pytest.mark.long
def test_a_limit_at_home_that_never_refuses_serves_hardly_any(monkeypatch: pytest.MonkeyPatch):
    """In front of the shop, for real: a limit that only grows."""

    def grow(self: OurLimit, *call: Any, **told: Any) -> None:
        self.current = bounded(self.current * 2, 1, 10_000)

    monkeypatch.setattr(OurLimit, "learn", grow)
    assert "behind a limit that nobody sized" in refute(LESSON, "home")


def test_the_published_aimd_keeps_its_timeout():
    """What the lesson says of the library: five seconds, unless told otherwise."""
    limit = AIMD(20)
    limit.learn(20, 4.9, dropped=False, now=5.0, was_full=True)
    assert limit.current == 21
