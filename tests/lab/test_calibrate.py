"""The measurements behind a calibration, on the machine that runs the tests."""

import asyncio

import pytest

from bpdemo.lab import measures
from bpdemo.lab.calibration import recalled
from bpdemo.lab.home import home, keep


async def test_timers_and_lag_are_measured_inside_a_loop_that_runs():
    """As in a notebook's cell: in seconds, never negative, far below what a lesson could bear."""
    assert asyncio.get_running_loop().is_running()
    assert 0 <= measures.timer_tick_s() < 1
    assert 0 <= measures.loop_lag_p99_s() < 1


@pytest.mark.parametrize("kept", ["{broken", "[]", '{"workers": 8}', '{"no_such": 1}'])
def test_what_cannot_be_read_counts_as_never_measured(monkeypatch, tmp_path, kept):
    """A broken file, or one of another version, costs a new measurement and no error."""
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    (home() / "calibration.json").write_text(kept)
    assert recalled() is None


def test_a_measurement_does_not_outlive_its_python(monkeypatch, tmp_path):
    """The machine is known by its name, processors and Python: any change measures anew."""
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    keep("calibration", {
        "workers": 8, "capacity_per_s": 190.0, "send_rate_per_s": 4000, "timer_tick_s": 0.0001,
        "loop_lag_p99_s": 0.001, "measured_at": "2030-01-01 00:00", "machine": "as it was",
    })  # fmt: skip
    assert recalled() is None
    monkeypatch.setattr("bpdemo.lab.calibration._machine", lambda: "as it was")
    assert recalled() is not None
