"""Lesson 03's claims fail when what they are about is taken away."""

import pytest

from bpdemo.flow.codel import CoDel
from bpdemo.flow.disciplines import ArrivalDiscipline, PriorityDiscipline
from bpdemo.flow.limiter import FixedLimit, Limiter
from bpdemo.flow.queue import BoundedQueue
from bpdemo.flow.share import FairShare
from tests.support.claims import BOTH_WAYS, play, refute

LESSON = "03_load_shedding"


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))


@BOTH_WAYS
def test_refusing_sells_more_only_if_somebody_is_refused(monkeypatch, where):
    """A door that counts nobody lets the second service collapse like the first."""
    unlimited = Limiter.try_acquire

    def let_in(self):
        self.limit = FixedLimit(0)
        return unlimited(self)

    monkeypatch.setattr(Limiter, "try_acquire", let_in)
    assert "rejecting keeps goodput up" in refute(LESSON, "refusing", where)


@pytest.mark.parametrize("claim", ["lifo", "codel", "fair-share", "priority"])
def test_the_simulated_claims_hold(claim):
    """Unbroken, each holds: what fails below fails for the mechanism alone."""
    play(LESSON, claim)


def test_newest_first_sells_because_it_takes_the_newest(monkeypatch):
    """A line that takes the oldest, whatever it is called, sells nothing."""
    monkeypatch.setattr(
        ArrivalDiscipline, "pop", lambda self: _first(self._jobs.popitem(last=False))
    )
    assert "newest first serves all it can" in refute(LESSON, "lifo")


def test_oldest_first_collapses_because_it_takes_the_oldest(monkeypatch):
    """Were the newest taken everywhere, the first half of the claim would not hold."""
    monkeypatch.setattr(
        ArrivalDiscipline, "pop", lambda self: _first(self._jobs.popitem(last=True))
    )
    assert "oldest first serves hardly any" in refute(LESSON, "lifo")


def test_codel_sells_because_it_sheds(monkeypatch):
    """CoDel that never sheds is a queue without a bound."""
    monkeypatch.setattr(CoDel, "sheds", lambda *_: False)
    assert "CoDel serves all it can" in refute(LESSON, "codel")


@pytest.mark.load
def test_the_greedy_one_alone_is_told_429():
    """The answers of a real service, as the lesson reads them."""
    play(LESSON, "blame")


@pytest.mark.load
def test_nobody_is_blamed_where_nobody_has_a_share(monkeypatch):
    """Without shares all are refused alike, with a 503."""
    monkeypatch.setattr(FairShare, "try_enter", _count_only)
    assert "429 goes to the client over its share" in refute(LESSON, "blame")


def test_fairness_comes_from_the_share(monkeypatch):
    """A share that is counted but never refused leaves three quarters to the greedy one."""
    monkeypatch.setattr(FairShare, "try_enter", _count_only)
    assert "a limit for each client is fair" in refute(LESSON, "fair-share")


def test_critical_orders_pass_because_of_their_line(monkeypatch):
    """All in one line, the critical ones wait as long as the rest."""
    push = PriorityDiscipline.push
    monkeypatch.setattr(PriorityDiscipline, "push", lambda self, job, at, _: push(self, job, at, 1))
    assert "in a long queue critical orders are served" in refute(LESSON, "priority")


def test_a_small_room_defeats_priority_because_it_fills_up(monkeypatch):
    """Were the queue never full, critical orders would pass with room for 8 as well."""
    monkeypatch.setattr(BoundedQueue, "has_place", property(lambda _: True))
    assert "in a short queue priority does not save" in refute(LESSON, "priority")


def _first(entry):
    job, (came_s, _) = entry
    return job, came_s


def _count_only(self, client):
    self._in_flight[client] = self._in_flight.get(client, 0) + 1
    return True
