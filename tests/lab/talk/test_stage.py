"""The acts of the talk as they were recorded, and the stage with nobody in front of it."""

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from bpdemo.lab import stage, stop_all
from bpdemo.lab.talk.acts import ACTS, BY_KEY, FULL_S, recording
from bpdemo.lab.talk.playback import up_to
from bpdemo.lab.talk.talk import Stage
from bpdemo.load.run import LoadRun
from bpdemo.results.marks import marks_of
from bpdemo.results.meta import Meta
from bpdemo.results.records import Samples
from tests.support.waiting import eventually


def served_share(run: LoadRun, start: float, end: float) -> float:
    """Of the orders offered between two shares of the run's length."""
    return run.between(start * run.meta.seconds, end * run.meta.seconds)["served_share"]


#: What the speaker says of each act, as a fact about its recording.
SAID: dict[str, Callable[[LoadRun], bool]] = {
    "1": lambda run: served_share(run, 0, 1) >= 0.99,
    "2": lambda run: served_share(run, 0.75, 1) <= 0.1,
    "3": lambda run: (
        run.summary["goodput_of_possible"] >= 0.85 and served_share(run, 0.75, 1) >= 0.95
    ),
    "4": lambda run: served_share(run, 0, 0.2) >= 0.95 and served_share(run, 0.75, 1) <= 0.1,
    "5": lambda run: served_share(run, 0.35, 0.55) <= 0.1 and served_share(run, 0.85, 1) >= 0.95,
}


@pytest.fixture
def empty() -> Iterator[Stage]:
    made = stage()
    yield made
    made.close()
    stop_all()


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_each_act_was_recorded_and_shows_what_is_said_of_it(act) -> None:
    """A real run of the machine it was recorded on, valid, of the length of the act."""
    run = recording(act).require_valid()
    assert not run.meta.virtual
    assert run.meta.seconds == FULL_S <= 60
    assert SAID[act.key](run)


def test_a_recording_shows_nothing_before_its_time() -> None:
    """Played up to ten seconds, neither order, sample nor mark of later is there."""
    whole = recording(BY_KEY["5"])
    part = up_to(whole, 10.2)
    assert part.meta.seconds == 10
    assert len(part.records) < len(whole.records)
    for column in (part.records.t_s, part.records.attempt_t_s, part.samples.t_s):
        assert column.max() < 10
    assert [text for _, text in part.meta.marks] == ["payment down"]
    earlier = whole.frame[whole.frame["t_s"] < 10].reset_index(drop=True)
    assert np.allclose(part.frame["ok_per_s"], earlier["ok_per_s"])


def test_a_recording_is_marked_as_one_and_an_empty_stage_is_not(empty: Stage) -> None:
    """R plays the first act when none was chosen, and says RECORDED; 0 clears it."""
    empty.press("r")
    eventually(lambda: "RECORDED" in empty._badge.value, "it is marked")
    assert empty.act == ACTS[0]
    eventually(lambda: max(empty.picture.figure.data[0].x) >= 1, "it plays")
    empty.press("0")
    eventually(lambda: empty.act is None, "the stage is empty")
    assert "RECORDED" not in empty._badge.value


@pytest.mark.load
@pytest.mark.light
def test_a_clicker_goes_from_act_to_act(empty: Stage) -> None:
    """Page Down begins the first act, then the next; Page Up goes back; one load at a time."""
    for key, wanted in (("PageDown", 0), ("PageDown", 1), ("PageUp", 0)):
        empty.press(key)
        eventually(lambda at=wanted: empty.act == ACTS[at], f"act {wanted + 1}")
    assert empty._load is not None
    assert empty._load.running is not None


def test_a_second_stage_takes_the_place_of_the_first(empty: Stage) -> None:
    """And its thread ends."""
    second = stage()
    assert [t.name for t in threading.enumerate()].count("stage") == 1
    second.close()
    assert [t.name for t in threading.enumerate()].count("stage") == 0


def test_a_slider_that_is_pulled_is_marked_once() -> None:
    """What the samples saw on the way belongs to the mark made when it came to rest."""
    t_s = np.arange(0, 5, 0.1)
    room = np.interp(t_s, [1, 2], [8, 30]).round()
    flat = np.ones_like(t_s)
    samples = Samples(t_s, flat, room, flat * 4, flat, flat * 0, flat * 0)
    assert marks_of(samples, Meta(marks=((2.1, "queue 8 → 30"),))) == [(2.1, "queue 8 → 30")]
    assert len(marks_of(samples, Meta())) > 5
