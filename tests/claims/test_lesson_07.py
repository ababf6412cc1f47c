"""The claims of lesson 07: break what each is about, in the service's own process too."""

import textwrap
from contextvars import Context

import pytest

from bpdemo.results import validity as verdict
from bpdemo.service import order_job
from bpdemo.telemetry.otel import OtelTracer
from bpdemo.telemetry.traces import SpanIds
from tests.support.claims import refute

LESSON = "07_seeing_it"
pytestmark = [pytest.mark.load, pytest.mark.slow, pytest.mark.long]

NOBODY_WAITS = """
    from bpdemo.flow.queue import BoundedQueue

    BoundedQueue.has_place = property(lambda self: self.depth + self._granted < self._idle())
"""
THE_PAYMENT_COMPUTES = """
    import asyncio, hashlib, threading, time
    from bpdemo.downstream.payment import SimulatedPayment

    one_at_a_time = threading.Lock()  # a second core is left to the load

    def compute(seconds):
        with one_at_a_time:
            end_s = time.thread_time() + seconds
            while time.thread_time() < end_s:
                hashlib.pbkdf2_hmac("sha256", b"", b"", 2000)  # does not hold up the event loop

    async def pass_latency(self):
        await asyncio.to_thread(compute, self._draw_latency())

    SimulatedPayment._pass_latency = pass_latency
"""


@pytest.fixture
def children(monkeypatch, tmp_path):
    """Has every Python that is started run some code first: so it reaches the service's process."""

    def run_first(code):
        (tmp_path / "sitecustomize.py").write_text(textwrap.dedent(code), "utf-8")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return run_first


def test_the_wait_is_the_queues_doing(children):
    """A queue in which nobody waits has no wait to tell of: all are refused or served at once."""
    children(NOBODY_WAITS)
    assert "the queue wait passes its alert" in refute(LESSON, "cpu-or-wait")


def test_cpu_is_low_because_workers_wait(children, monkeypatch):
    """A payment that computes, where the real one waits, brings CPU to its alert."""
    # The machine is meant to be busy here: that must not be what the run founders on.
    monkeypatch.setattr(verdict, "LOOP_LAG_MAX_S", 1.0)
    monkeypatch.setattr(verdict, "SEND_LAG_MAX_S", 1.0)
    children(THE_PAYMENT_COMPUTES)
    assert "CPU stays far below its own" in refute(LESSON, "cpu-or-wait")


def test_a_trace_ends_at_a_queue_that_carries_no_context(monkeypatch):
    """Without the caller's context in its job, queue and work belong to no trace of theirs."""
    monkeypatch.setattr(order_job, "copy_context", Context)
    assert "most of it is the queue" in refute(LESSON, "trace")


def test_log_lines_are_joined_by_the_callers_trace_id(monkeypatch):
    """A log with an id of its own is found by nobody who has the trace."""
    monkeypatch.setattr(OtelTracer, "ids", lambda self: SpanIds("0" * 31 + "1", "0" * 15 + "1"))
    assert "each line has the caller's trace id" in refute(LESSON, "trace")
