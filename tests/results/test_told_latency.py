"""A percentile in words: a caller who hung up has no latency, and its wait is a lower bound."""

import io
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bpdemo.cli.rows import Rows
from bpdemo.cli.verdict_table import show_verdict
from bpdemo.core.settings import Settings
from bpdemo.lab.services.simulation import simulate
from bpdemo.results.told_latency import timed_out, told_latency
from bpdemo.sim.visit import ON_THE_WAY_S


@given(st.floats(0, 1e6), st.floats(0.001, 3600))
def test_nobody_is_told_a_latency_beyond_the_client_timeout(
    latency_ms: float, timeout_s: float
) -> None:
    """It is `above` that timeout from there on, and a figure below it otherwise."""
    told = told_latency(latency_ms, timeout_s)
    assert told.startswith("above ") == (latency_ms >= timeout_s * 1000 - 0.01)


@given(st.floats(0, 1e6), st.floats(0.001, 3600))
def test_the_error_of_floats_makes_no_latency(due_s: float, timeout_s: float) -> None:
    """A wait is a difference of two times, and may come out a little short."""
    waited_s = (due_s + timeout_s) - due_s
    if abs(waited_s - timeout_s) < 1e-7:
        assert told_latency(waited_s * 1000, timeout_s).startswith("above ")


@given(st.floats(0, 3600), st.floats(0.002, 3600))
def test_a_simulated_hang_up_is_above_the_timeout(due_s: float, timeout_s: float) -> None:
    """The caller leaves a moment before its time is up, and floats say when that is: whatever the
    timeout, and however late in the run."""
    left_s = due_s + timeout_s - ON_THE_WAY_S
    assert told_latency((left_s - due_s) * 1000, timeout_s).startswith("above ")


@given(st.floats(0.01, 1), st.floats(0.002, 3600))
def test_an_answer_in_time_is_never_told_as_the_timeout(short_ms: float, timeout_s: float) -> None:
    """`500 ms` beside `above 500 ms` would be two words for two things that look alike."""
    latency_ms = timeout_s * 1000 - short_ms
    if not timed_out(latency_ms, timeout_s):
        told = told_latency(latency_ms, timeout_s)
        assert int(told.removesuffix(" ms").replace(",", "")) < timeout_s * 1000


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [3, 4, 5, 7, 10])
def test_a_late_run_has_one_word_for_those_who_hung_up(seconds: float) -> None:
    """Median, tail and every row of a run in which nearly all leave unserved."""
    naive = Settings.unprotected(payment_latency_s=0.06)
    run = simulate(naive, rate=400, seconds=seconds)
    page = io.StringIO()
    console = Console(file=page, width=110)
    with Rows(console) as rows:
        rows.show(run)
    show_verdict(run, console)
    assert "above 500 ms" in page.getvalue()
    assert not re.search(r"(?<![>\d])500\b(?! ms)|(?<!above )\b500 ms", page.getvalue())


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
