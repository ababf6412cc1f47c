"""What is known of a machine, and for how long."""

import pytest

from bpdemo.lab.home import keep, recall
from bpdemo.lab.services import calibration
from bpdemo.lab.services.calibration import calibrate, workers_for
from bpdemo.lab.services.machine import CAUTIOUS_WORKERS, recalled, workers


@pytest.fixture(autouse=True)
def measured(monkeypatch, tmp_path):
    """A machine that answers at once: how often it was measured."""
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    counts = []

    def timer_tick_s():
        counts.append(1)
        return 0.0001

    monkeypatch.setattr(calibration, "timer_tick_s", timer_tick_s)
    monkeypatch.setattr(calibration, "loop_lag_p99_s", lambda: 0.002)
    monkeypatch.setattr(calibration, "send_rate_per_s", lambda: 2000.0)
    monkeypatch.setattr(calibration, "measured_capacity_per_s", lambda count: count * 23.0)
    return counts


@pytest.mark.parametrize(
    ("send_rate", "count"), [(100, 1), (500, 1), (1000, 2), (2000, 4), (4000, 8), (50_000, 8)]
)
def test_ten_times_capacity_needs_at_most_half_of_what_can_be_sent(send_rate, count):
    """One worker at least, eight at most."""
    assert workers_for(send_rate) == count


def test_a_machine_is_measured_once(measured):
    """The second time it is recalled, and `serve` takes what was found."""
    assert workers() == CAUTIOUS_WORKERS
    first, again = calibrate(), calibrate()
    assert first == again
    assert len(measured) == 1
    assert workers() == first.workers == 4


def test_force_measures_again(measured):
    """Anyone who doubts it may ask anew."""
    calibrate()
    calibrate(force=True)
    assert len(measured) == 2


def test_a_busy_machine_is_not_remembered(monkeypatch):
    """A poor measurement is used for now, not for ever."""
    monkeypatch.setattr(calibration, "loop_lag_p99_s", lambda: 0.5)
    assert calibrate().workers == 4
    assert recalled() is None


def test_another_machine_is_measured_anew(measured):
    """A home folder may travel."""
    calibrate()
    keep("calibration", recall("calibration") | {"machine": "elsewhere"})
    assert recalled() is None


def test_it_reads_as_a_table():
    """In a notebook and in a terminal."""
    found = calibrate()
    assert "<table" in found._repr_html_()
    assert "workers that fit this machine: 4" in str(found)
