"""The claims of lesson 08 fail when their mechanism is broken; that they hold, the lesson shows."""

import pytest

from bpdemo.flow.breaker import Breaker
from bpdemo.flow.queue import BoundedQueue
from bpdemo.service.intake import Intake
from tests.support.claims import BOTH_WAYS, play, refute

LESSON = "08_tuning_challenge"


@pytest.fixture
def queue_never_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedQueue, "has_place", property(lambda _: True))


@pytest.mark.slow
@pytest.mark.usefixtures("queue_never_full")
def test_a_bound_that_does_not_bind_gains_nothing() -> None:
    """The points of that knob come from refusing."""
    assert "the bound alone gains hundreds" in refute(LESSON, "queue")


@pytest.mark.slow
def test_a_deadline_that_admission_control_ignores_gains_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The points of the other knob come from refusing anyone who could not be served in time."""
    monkeypatch.setattr(Intake, "_check_time", lambda self, deadline, priority: None)
    assert "so does the deadline" in refute(LESSON, "queue")


@pytest.mark.slow
def test_a_breaker_that_never_tries_again_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The points of the breaker's two knobs come from opening rarely and for a short time."""

    def opens_for_good(breaker: Breaker) -> float:
        return 1000.0 if breaker.state == "open" else 0.0

    def opens_at_once(breaker: Breaker) -> None:
        if breaker._calls.marked:
            breaker._move_to("open")

    monkeypatch.setattr(Breaker, "half_opens_in_s", property(opens_for_good))
    monkeypatch.setattr(Breaker, "_open_if_failing", opens_at_once)
    assert "after it, it gains much" in refute(LESSON, "hidden")


@pytest.mark.load
@pytest.mark.long
def test_live_confirms_what_virtual_time_promised() -> None:
    """A real service with the bound sells about what the simulation says."""
    play(LESSON, "live")


@BOTH_WAYS
@pytest.mark.usefixtures("queue_never_full")
def test_live_fails_without_a_bound(where: str) -> None:
    """It is the bound that sells at the height of the storm, not the machine."""
    assert "live it serves most of what is possible" in refute(LESSON, "live", where)
