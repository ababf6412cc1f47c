"""The claims of lesson 01: take away what each is about, and it fails."""

import pytest

from bpdemo.assembly.office import Assembly
from bpdemo.flow.queue import BoundedQueue
from bpdemo.plan.visits import draw
from bpdemo.sim.crowd import Crowd
from tests.support.claims import BOTH_WAYS, play, refute

LESSON = "01_when_queues_explode"


@pytest.fixture
def endless_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that is never full, whatever its capacity."""
    monkeypatch.setattr(BoundedQueue, "has_place", property(lambda self: True))


def test_an_open_load_keeps_its_offer_and_a_closed_one_does_not():
    """As the lesson stands: the payment slows, and only the closed load follows it down."""
    play(LESSON, "open-closed")


def test_the_closed_load_follows_the_service(monkeypatch: pytest.MonkeyPatch):
    """A service that does not get slower has nothing for the closed load to follow."""
    monkeypatch.setattr(Assembly, "turn", lambda self, knobs: None)
    assert "a closed loop offers less" in refute(LESSON, "open-closed")


def test_an_open_load_waits_for_nobody(monkeypatch: pytest.MonkeyPatch):
    """One whose customers come one after another, each with patience, sags as well."""

    async def one_after_another(crowd: Crowd) -> None:
        while crowd.now_s < crowd._plan.seconds:
            await crowd._order(draw(crowd._plan, crowd.now_s, crowd._chance))

    monkeypatch.setattr(Crowd, "_arrive", one_after_another)
    assert "an open loop offers the same" in refute(LESSON, "open-closed")


@BOTH_WAYS
@pytest.mark.usefixtures("endless_queue")
def test_without_an_end_to_the_queue_nothing_is_kept(where):
    """A queue that is never full sells no more than a naive service does."""
    assert "with a bound of 8 goodput stays up" in refute(LESSON, "bound", where)


@BOTH_WAYS
def test_the_collapse_is_the_endless_queues(monkeypatch: pytest.MonkeyPatch, where):
    """Given an end to its queue, the naive service goes on selling."""
    monkeypatch.setattr(BoundedQueue, "has_place", property(lambda self: self.depth < 8))
    assert "without a bound hardly any" in refute(LESSON, "collapse", where)


@BOTH_WAYS
@pytest.mark.usefixtures("endless_queue")
def test_the_mean_falls_because_a_refusal_is_quick(where):
    """Where nobody is refused, everybody waits, and the mean tells it."""
    assert "the mean is lower" in refute(LESSON, "mean", where)
