"""An answer is held to its own processor time, and to the clock only where it waits."""

import faulthandler
import threading
import time

import pytest

from bpdemo.lab.exercises import time_limit
from bpdemo.lab.exercises.time_limit import TimeLimit, longest_s


class Clocks:
    """Both clocks of a process that gets `share` of a processor, and looks once in `look_s`."""

    def __init__(self, share: float, look_s: float) -> None:
        self.share = share
        self.look_s = look_s
        self.wall_s = self.cpu_s = 0.0

    def look(self) -> None:
        self.wall_s += self.look_s
        self.cpu_s += self.share * self.look_s


def struck_at(
    monkeypatch: pytest.MonkeyPatch,
    share: float,
    limit_s: float = 10.0,
    look_s: float = time_limit.LOOK_S,
) -> Clocks:
    """Both clocks at the moment when the limit struck."""
    clocks = Clocks(share, look_s)
    struck = threading.Event()

    class Over:
        def wait(self, _: float) -> bool:
            clocks.look()
            return False

        def is_set(self) -> bool:
            return False

        def set(self) -> None:
            pass

    monkeypatch.setattr(time, "monotonic", lambda: clocks.wall_s)
    monkeypatch.setattr(time, "process_time", lambda: clocks.cpu_s)
    limit = TimeLimit(limit_s, lambda spent_s: struck.set())
    limit._over = Over()  # type: ignore[assignment]
    limit._watch()
    faulthandler.cancel_dump_traceback_later()
    assert struck.is_set()
    return clocks


@pytest.mark.parametrize("share", [1.0, 0.5, 0.2])
def test_a_starved_loop_gets_the_same_processor_time(monkeypatch, share):
    """On a machine that is five times too busy an answer has five times as long."""
    clocks = struck_at(monkeypatch, share)
    assert clocks.cpu_s == pytest.approx(10, abs=0.2)
    assert clocks.wall_s == pytest.approx(10 / share, rel=0.03)


def test_who_only_waits_is_held_to_the_clock(monkeypatch):
    """A wait that never ends uses no processor, and nobody sits through a minute of it."""
    assert struck_at(monkeypatch, 0.001).wall_s == pytest.approx(10, abs=0.3)


@pytest.mark.parametrize("look_s", [0.3, 1.0, 5.0])
def test_who_gets_no_processor_is_not_taken_for_waiting(monkeypatch, look_s):
    """It looks late: then little processor time says nothing of what the answer does."""
    clocks = struck_at(monkeypatch, 0.001, look_s=look_s)
    assert clocks.wall_s == pytest.approx(longest_s(10), abs=look_s)


def test_there_is_an_end_to_it(monkeypatch):
    """However little it gets, it ends."""
    assert struck_at(monkeypatch, 0.08).wall_s == pytest.approx(longest_s(10), abs=0.3)


def test_an_answer_in_time_is_left_alone():
    """Nothing strikes afterwards, and no thread is left behind."""
    struck: list[float] = []
    with TimeLimit(0.3, struck.append) as limit:
        pass
    limit._thread.join(1)
    assert not limit._thread.is_alive()
    assert struck == []


def test_a_real_loop_is_struck_in_its_own_time(monkeypatch):
    """With real clocks, however busy the machine: a loop of 20% of a second of processor time."""
    monkeypatch.setattr(time_limit, "MOST_BY_THE_CLOCK", 1000)
    struck: list[float] = []
    cpu_s = time.process_time()
    with TimeLimit(0.2, struck.append):
        while not struck:
            pass
    assert 0.2 <= struck[0] <= time.process_time() - cpu_s + 0.1
