"""A run that does not count is made again; one that never counts is a failure that says so."""

import psutil
import pytest

from bpdemo.results.validity import NotMeasured
from tests.support import measured as measuring
from tests.support.claims import refute
from tests.support.measured import (
    TRIES,
    NeverMeasured,
    await_quiet,
    is_quiet,
    measured,
    until_measured,
)


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """How often a quiet machine was waited for; it is quiet at once."""
    count = []
    monkeypatch.setattr(measuring, "await_quiet", lambda: count.append(1))
    return count


def busy_for(times):
    """An attempt that counts after so many that do not."""
    left = [NotMeasured([f"cause {number}"]) for number in range(times)]

    def attempt():
        if left:
            raise left.pop(0)
        return "counts"

    return attempt


class Run:
    """What a load gives, on a machine that keeps up or does not."""

    def __init__(self, *causes):
        self.causes = causes

    def require_valid(self):
        if self.causes:
            raise NotMeasured(list(self.causes))


@pytest.mark.parametrize("busy", range(TRIES))
def test_a_run_is_made_again_until_it_counts(busy, waits):
    """As often as need be, up to the last try, with a wait before each but the first."""
    assert until_measured(busy_for(busy)) == "counts"
    assert len(waits) == busy


def test_a_run_that_never_counts_is_a_failure_that_tells_each_cause(waits):
    """It is no assertion that failed: anyone who expects a claim to be refuted is not served."""
    with pytest.raises(NeverMeasured, match=r"in each of 4 tries. \(cause 0; .*cause 3\)") as why:
        until_measured(busy_for(TRIES))
    assert not isinstance(why.value, AssertionError)
    assert len(waits) == TRIES - 1


def test_what_fails_for_another_reason_is_not_tried_again(waits):
    """Only the machine's fault is forgiven."""

    def attempt():
        raise AssertionError("the service's own fault")

    with pytest.raises(AssertionError, match="own fault"):
        until_measured(attempt)
    assert waits == []


def test_a_run_is_asked_whether_it_counts(waits):
    """The one that is given back is the first that is valid."""
    runs = [Run("late"), Run("late"), good := Run(), Run()]
    assert measured(lambda: runs.pop(0)) is good
    assert len(waits) == 2


def test_a_claim_that_could_not_be_measured_is_not_refuted(monkeypatch):
    """Were it taken for the failed assert of the lesson, a broken claim would pass."""
    monkeypatch.setattr("tests.support.claims._run", lambda *_, **__: busy_for(9)())
    with pytest.raises(NeverMeasured):
        refute("01_when_queues_explode", "mean")


class Machine:
    """Its clock, and how late its timers and how idle its cores are."""

    def __init__(self, late_s, idle, nice):
        self.now_s, self.late_s, self.idle, self.nice = 0.0, late_s, idle, nice

    def monotonic(self):
        return self.now_s

    def sleep(self, seconds):
        self.now_s += seconds + self.late_s

    def cpu_times_percent(self):
        return self


@pytest.fixture
def machine(monkeypatch):
    def made(late_s=0.0001, idle=95.0, nice=0.0):
        found = Machine(late_s, idle, nice)
        monkeypatch.setattr(measuring, "time", found)
        monkeypatch.setattr(psutil, "cpu_times_percent", found.cpu_times_percent)
        return found

    return made


@pytest.mark.parametrize(
    ("state", "quiet"),
    [
        ({}, True),
        ({"late_s": 0.02}, False),
        ({"idle": 30.0}, False),
        ({"idle": 0.0, "nice": 95.0}, True),
        ({"late_s": 0.02, "idle": 0.0, "nice": 95.0}, False),
    ],
    ids=["at rest", "timers late", "cores taken", "by what yields", "by what hardly yields"],
)
def test_a_machine_is_quiet_when_timers_are_on_time_and_cores_are_free(machine, state, quiet):
    """Either alone is no rest: a service can starve while timers fire, and the other way round."""
    machine(**state)
    assert is_quiet() is quiet


def test_a_quiet_machine_is_not_waited_for_without_end(machine):
    """After the time that was given, the next try begins whatever the machine does."""
    found = machine(idle=0.0)
    assert not await_quiet(within_s=30)
    assert 30 <= found.now_s < 32
