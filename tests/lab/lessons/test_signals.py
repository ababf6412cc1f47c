"""What an operator sees of a service under load."""

from typing import Any

import pandas as pd
import pytest

from bpdemo.lab import serve, simulate
from bpdemo.lab.lessons.figures.signal_panels import signal_figure
from bpdemo.lab.lessons.signals import Signals, watch_signals


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))


def signals(cpu, wait, **load):
    """Made-up samples over a simulated run."""
    usual: dict[str, Any] = {"times": 2, "seconds": 4, "scenario": "ramp"}
    run = simulate({"workers": 2}, **usual | load)
    frame = pd.DataFrame({"t_s": [1.0, 2.0, 3.0], "cpu_share": cpu, "wait_ms": wait})
    return Signals(frame, run)


LATE = signals([0.1, 0.12, 0.1], [float("nan"), 40, 600])


def test_it_tells_which_was_above_its_alert_and_when():
    """The first sample above counts; a wait that nobody had is no wait."""
    assert LATE.first_over("wait_ms", 250) == 3
    assert LATE.first_over("cpu_share", 0.8) is None
    assert LATE.sentence == (
        "CPU was never above 12%; the queue wait passed its alert after 3.0 s, and reached 600 ms."
    )


def test_both_signals_are_drawn_with_their_alerts():
    """The alert is in sight even where nothing comes near it; the crossing has a ring."""
    figure = signal_figure(LATE)
    cpu, wait, ring = figure.data
    assert list(cpu.y) == [0.1, 0.12, 0.1]
    assert list(wait.y)[1:] == [40, 600]
    assert (ring.x, ring.y) == ((3.0,), (600.0,))
    assert figure.layout.yaxis.range[1] > 0.8
    words = " ".join(text.text for text in figure.layout.annotations)
    assert all(word in words for word in ("alert: 80%", "alert: 250 ms", "CPU", "queue wait"))


def test_a_ramp_shows_when_capacity_is_reached():
    """Half-way to twice the capacity; a load that stays below it never gets there."""
    marks = [text.x for text in signal_figure(LATE).layout.annotations if "capacity" in text.text]
    assert marks == [2.0]
    low = signals([0.1] * 3, [1.0] * 3, times=0.5)
    assert "capacity is" not in str(signal_figure(low).layout.annotations)


@pytest.mark.load
@pytest.mark.light
def test_a_real_service_is_sampled_until_the_load_ends():
    """Each row is later than the one before, and CPU is that of the service: some, not all."""
    with serve("unprotected", where="process", workers=1) as service:
        seen = watch_signals(service, times=2, seconds=2)
    frame = seen.frame
    assert len(frame) >= 3
    assert frame.t_s.is_monotonic_increasing
    assert frame.t_s.max() <= 2.5
    assert 0 < seen.cpu_peak < 1
    assert frame.wait_ms.iloc[-1] > frame.wait_ms.iloc[0]
    assert frame.queue_depth.iloc[-1] > 0
