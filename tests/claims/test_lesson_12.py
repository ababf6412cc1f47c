"""The claims of lesson 12: take away what each of them rests on, and it fails by its own words."""

from __future__ import annotations

import pytest

from bpdemo.flow.queue import BoundedQueue
from bpdemo.plan.retries import ClientRetryBudget
from bpdemo.service.intake import Intake
from tests.support.claims import play, refute

LESSON = "12_the_point_of_no_return"


@pytest.fixture
def no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients who are never allowed one."""
    monkeypatch.setattr(ClientRetryBudget, "try_spend", lambda self: False)


@pytest.fixture
def never_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that always has one more place."""
    monkeypatch.setattr(BoundedQueue, "has_place", property(lambda self: True))


def test_half_a_second_decides():
    """As the lesson stands."""
    play(LESSON, "edge")


@pytest.mark.usefixtures("no_retries")
def test_without_retries_there_is_no_point_of_no_return():
    """The longer trigger is forgotten, too."""
    assert "after 1.1 s nearly all of them do" in refute(LESSON, "edge")


@pytest.mark.usefixtures("no_retries")
def test_without_retries_every_load_below_capacity_is_stable():
    """It is what clients make of the load that does not recover."""
    assert "at 40% and at 60% they are not" in refute(LESSON, "states")


def test_four_ways_that_help_and_four_that_do_not():
    """As the lesson stands."""
    play(LESSON, "raises")


@pytest.mark.usefixtures("never_full")
def test_a_bound_that_does_not_bind_raises_nothing():
    """One of the four is none any more."""
    assert "each of the other four does, after a slow payment" in refute(LESSON, "raises")


@pytest.mark.usefixtures("no_retries")
def test_without_retries_what_only_seems_to_help_helps():
    """Backoff of no retries, dropping of a queue that drains: all come back."""
    assert "none of the first four brings it back" in refute(LESSON, "raises")


def test_a_restart_that_outlasts_its_wave_gets_it_back():
    """As the lesson stands."""
    play(LESSON, "out")


def test_a_restart_that_keeps_the_queue_gets_nothing_back(monkeypatch: pytest.MonkeyPatch):
    """What waits survives it, as in a queue outside of the process."""
    monkeypatch.setattr(Intake, "shed_queued", lambda self: None)
    assert "one that takes a second does" in refute(LESSON, "out")


@pytest.mark.usefixtures("never_full")
def test_the_next_trigger_is_survived_by_the_bound():
    """One that does not bind is no better than the restart alone."""
    assert "with a bound, the next trigger is a dip" in refute(LESSON, "again")


@pytest.mark.usefixtures("no_retries")
def test_without_retries_the_restarted_service_survives_alone():
    """The sustaining effect is gone, and the same trigger is a dip."""
    assert "restarted alone, it is stuck again" in refute(LESSON, "again")
