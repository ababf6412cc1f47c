"""The claims of lesson 05 rest on the breaker: take away what each is about, and it fails."""

import pytest

from bpdemo.flow.breaker import Breaker
from tests.support.claims import BOTH_WAYS, play, refute

LESSON = "05_circuit_breaker"


@pytest.fixture
def never_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A breaker that counts and never acts."""
    monkeypatch.setattr(Breaker, "_open_if_failing", lambda self: None)


@BOTH_WAYS
@pytest.mark.usefixtures("never_opens")
def test_the_fast_no_is_the_breakers_doing(where):
    """A breaker that never opens leaves its customers to wait as those without one do."""
    assert "with one most are rejected" in refute(LESSON, "outage", where)


@BOTH_WAYS
def test_the_way_back_is_the_breakers_doing(monkeypatch: pytest.MonkeyPatch, where):
    """One that never asks whether the payment is back sells nothing after the outage."""
    shut = property(lambda self: 1.0 if self.state == "open" else 0.0)
    monkeypatch.setattr(Breaker, "half_opens_in_s", shut)
    assert "it soon serves again" in refute(LESSON, "outage", where)


def test_exactly_so_many_probes_reach_the_payment():
    """As the lesson stands, three each time."""
    assert set(play(LESSON, "probes")["let_through"]) == {3}


def test_without_counted_permits_a_crowd_gets_through(monkeypatch: pytest.MonkeyPatch):
    """A half-open breaker that lets in all who come is not what the lesson shows."""
    monkeypatch.setattr(Breaker, "_has_probe_left", lambda self: True)
    assert "three each time, never more" in refute(LESSON, "probes")


@BOTH_WAYS
@pytest.mark.usefixtures("never_opens")
def test_the_seats_are_kept_free_by_the_breaker(where):
    """A breaker that never opens keeps no seat free for those who only look."""
    assert "with one they get in" in refute(LESSON, "bystanders", where)


def test_a_twitchy_breaker_does_harm():
    """As the lesson stands, over five seeds."""
    play(LESSON, "twitchy")


@pytest.mark.usefixtures("never_opens")
def test_the_harm_is_the_breakers_doing():
    """A breaker that never opens does none: the claim fails."""
    assert "a twitchy breaker does harm" in refute(LESSON, "twitchy")


def test_the_defaults_are_judged_too(monkeypatch: pytest.MonkeyPatch):
    """One that opens at the first failure is in the way whatever its settings."""

    def open_at_once(self: Breaker) -> None:
        if self._calls.marked:
            self._move_to("open")

    monkeypatch.setattr(Breaker, "_open_if_failing", open_at_once)
    assert "with the defaults it is not in the way" in refute(LESSON, "twitchy")
