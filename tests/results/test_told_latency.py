"""A percentile in words: a caller who hung up has no latency, and its wait is a lower bound."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.core.settings import Settings
from bpdemo.lab.services.simulation import simulate
from bpdemo.results.told_latency import told_latency


@given(st.floats(0, 1e6), st.floats(0.001, 3600))
def test_nobody_is_told_a_latency_beyond_the_client_timeout(
    latency_ms: float, timeout_s: float
) -> None:
    """It is `over` that timeout from there on, and a figure below it otherwise."""
    told = told_latency(latency_ms, timeout_s)
    assert told.startswith("over ") == (latency_ms >= timeout_s * 1000 - 1e-3)


@given(st.floats(0, 1e6), st.floats(0.001, 3600))
def test_the_error_of_floats_makes_no_latency(due_s: float, timeout_s: float) -> None:
    """A wait is a difference of two times, and may come out a little short."""
    waited_s = (due_s + timeout_s) - due_s
    if abs(waited_s - timeout_s) < 1e-7:
        assert told_latency(waited_s * 1000, timeout_s).startswith("over ")


def test_what_is_not_known_is_a_dash() -> None:
    assert told_latency(math.nan, 0.5) == "-"


@pytest.mark.parametrize("rate", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("latency_s", [0.04, 0.3, 0.7])
def test_a_sentence_gives_a_latency_only_of_served_requests(rate: float, latency_s: float) -> None:
    """With no request served, whatever the load, it says that none was, and no p99."""
    naive = Settings.unprotected(payment_latency_s=latency_s, workers=4)
    run = simulate(naive, rate=rate * 4 / latency_s, seconds=6)
    if run.summary["goodput_per_s"]:
        assert "; p99 " in run.sentence
        assert f"p99 {run.meta.client_timeout_s * 1000:.0f} ms" not in run.sentence
    else:
        assert "; none was served within 500 ms" in run.sentence
        assert "p99" not in run.sentence
