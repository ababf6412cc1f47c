"""A trace holds together from the caller through the queue to the store, at the service's times."""

import asyncio
import contextvars
import io
import json
import logging
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.core.errors import SoldOut
from bpdemo.telemetry.logs import make_logger
from bpdemo.telemetry.tracer import make_tracer
from bpdemo.telemetry.traces import TraceParent, parse_traceparent

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CALLER = f"00-{TRACE}-{PARENT}-01"


class Clock:
    """The service's clock, moved by hand."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tracer(clock):
    return make_tracer("memory", clock)


def by_name(tracer):
    return {span.name: span for span in tracer.finished()}


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (CALLER, TraceParent(TRACE, PARENT, sampled=True)),
        (f"00-{TRACE}-{PARENT}-00", TraceParent(TRACE, PARENT, sampled=False)),
        (f"00-{TRACE}-{PARENT}-03", TraceParent(TRACE, PARENT, sampled=True)),
        (f"01-{TRACE}-{PARENT}-01", TraceParent(TRACE, PARENT, sampled=True)),
        (f"cc-{TRACE}-{PARENT}-01-what-comes", TraceParent(TRACE, PARENT, sampled=True)),
    ],
)
def test_a_traceparent_is_read(value, read):
    assert parse_traceparent(value) == read


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-01-",
        f"01-{TRACE}-{PARENT}-01more",
        f" {CALLER}",
        f"{CALLER}\n",
        f"٠٠-{TRACE}-{PARENT}-01",
    ],
)
def test_an_unreadable_traceparent_is_none(value):
    assert parse_traceparent(value) is None


@given(st.text())
def test_no_text_breaks_the_reading_of_a_traceparent(value):
    assert parse_traceparent(value) is None


def test_the_edge_continues_the_callers_trace(tracer):
    with tracer.edge("POST /orders", CALLER, method="POST"):
        assert tracer.trace_id() == TRACE
    [span] = tracer.finished()
    assert (span.name, span.trace_id, span.parent_id) == ("POST /orders", TRACE, PARENT)
    assert span.attributes == {"method": "POST"}
    assert tracer.trace_id() is None


@pytest.mark.parametrize("traceparent", [None, "unreadable"])
def test_without_a_caller_the_edge_starts_a_trace_of_its_own(tracer, traceparent):
    with tracer.span("somebody else's"), tracer.edge("POST /orders", traceparent):
        pass
    spans = by_name(tracer)
    assert spans["POST /orders"].parent_id is None
    assert spans["POST /orders"].trace_id != spans["somebody else's"].trace_id


def test_a_caller_that_does_not_sample_is_not_recorded_but_its_trace_goes_on(tracer):
    with tracer.edge("POST /orders", f"00-{TRACE}-{PARENT}-00"):
        assert tracer.trace_id() == TRACE
    assert tracer.finished() == []


def test_spans_nest_and_tell_the_services_times(tracer, clock):
    with tracer.edge("edge", None) as edge:
        clock.now += 1
        with tracer.span("work", attempts=2):
            clock.now += 3
        edge.note(status=201)
    spans = by_name(tracer)
    edge, work = spans["edge"], spans["work"]
    assert (work.trace_id, work.parent_id) == (edge.trace_id, edge.span_id)
    assert (edge.start_s, edge.duration_s) == pytest.approx((100, 4))
    assert (work.start_s, work.duration_s) == pytest.approx((101, 3))
    assert (dict(work.attributes), dict(edge.attributes)) == ({"attempts": 2}, {"status": 201})
    assert {edge.status, work.status} == {"ok"}


def test_a_span_that_is_over_is_recorded_at_its_own_times(tracer, clock):
    with tracer.edge("edge", None):
        clock.now = 200.0
        tracer.record("queue", 100.25, 103.5, depth=7)
    spans = by_name(tracer)
    assert spans["queue"].parent_id == spans["edge"].span_id
    assert (spans["queue"].start_s, spans["queue"].duration_s) == pytest.approx((100.25, 3.25))
    assert spans["queue"].attributes == {"depth": 7}


def test_an_exception_marks_the_span_by_its_name_only_and_passes(tracer):
    with pytest.raises(SoldOut), tracer.span("place"):
        raise SoldOut("postgres://user:secret@host")
    [span] = tracer.finished()
    assert (span.status, dict(span.attributes)) == ("error", {"error.type": "SoldOut"})


async def test_the_trace_goes_through_a_queue_with_the_jobs_context(tracer):
    """As the service does it: a worker that was there before runs each job in its own context."""
    queue: asyncio.Queue[Any] = asyncio.Queue()

    async def work(name):
        with tracer.span(name):
            await asyncio.sleep(0)

    async def worker():
        for _ in range(2):
            name, context = await queue.get()
            await asyncio.create_task(work(name), context=context)

    working = asyncio.create_task(worker())
    for number in (1, 2):
        with tracer.edge(f"edge {number}", None):
            queue.put_nowait((f"work {number}", contextvars.copy_context()))
    await working
    spans = by_name(tracer)
    for number in (1, 2):
        edge, done = spans[f"edge {number}"], spans[f"work {number}"]
        assert (done.trace_id, done.parent_id) == (edge.trace_id, edge.span_id)
    assert spans["edge 1"].trace_id != spans["edge 2"].trace_id


async def test_concurrent_requests_do_not_see_one_another(tracer):
    async def request(number):
        with tracer.edge(f"edge {number}", None):
            await asyncio.sleep(0)
            with tracer.span(f"work {number}"):
                await asyncio.sleep(0)

    await asyncio.gather(*(request(number) for number in range(10)))
    spans = by_name(tracer)
    for number in range(10):
        assert spans[f"work {number}"].parent_id == spans[f"edge {number}"].span_id


def test_two_tracers_keep_their_spans_apart(clock):
    one, other = make_tracer("memory", clock), make_tracer("memory", clock)
    with one.span("a"):
        pass
    assert [span.name for span in one.finished()] == ["a"]
    assert other.finished() == []


def test_off_draws_nothing_and_answers_everything(clock):
    tracer = make_tracer("off", clock)
    with tracer.edge("edge", CALLER) as edge, tracer.span("work", a=1):
        tracer.record("queue", 1.0, 2.0)
        edge.note(status=201)
        assert tracer.ids() is None
        assert tracer.trace_id() is None
    assert tracer.finished() == []
    tracer.shutdown()


def test_off_does_not_import_opentelemetry():
    code = (
        "import sys; from bpdemo.telemetry import fanout, lag, metrics, order_log, tracer;"
        "tracer.make_tracer('off', float);"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_console_writes_one_line_of_json_per_span(clock):
    stream = io.StringIO()
    tracer = make_tracer("console", clock, "box-office", stream)
    with tracer.edge("POST /orders", CALLER, path="/orders\nforged"):
        pass
    [line] = stream.getvalue().splitlines()
    span = json.loads(line)
    assert span["name"] == "POST /orders"
    assert span["resource"]["attributes"]["service.name"] == "box-office"


def test_a_broken_console_does_not_reach_the_service(clock, caplog):
    stream = io.StringIO()
    stream.close()
    tracer = make_tracer("console", clock, stream=stream)
    with tracer.span("work"):
        pass
    assert caplog.records == []


class _Collector(BaseHTTPRequestHandler):
    server: "_Listening"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.paths.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


class _Listening(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Collector)
        self.paths: list[str] = []


@pytest.fixture
def collector(monkeypatch):
    with _Listening() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()
        thread.join()


def test_otlp_sends_what_is_left_at_the_shutdown(collector, clock):
    tracer = make_tracer("otlp", clock)
    with tracer.span("work"):
        pass
    tracer.shutdown(timeout_s=30)
    assert collector.paths == ["/v1/traces"]
    assert tracer.finished() == []


def test_a_dead_collector_costs_one_log_line_and_a_short_shutdown(clock, monkeypatch, capfd):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8")
    # As in a service: nobody has set up logging, so the library's warnings would reach stderr.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    stream = io.StringIO()
    tracer = make_tracer("otlp", clock, log=make_logger("json", "info", stream))
    for _ in range(20):
        with tracer.span("work"):
            pass
    tracer.shutdown(timeout_s=30)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["traces_lost"]
    assert capfd.readouterr().err == ""


def test_a_collector_that_never_answers_cannot_hold_up_the_shutdown(clock, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv(
            "OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}"
        )
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "5")
        tracer = make_tracer("otlp", clock, log=make_logger("json", "info", io.StringIO()))
        with tracer.span("work"):
            pass
        began = time.monotonic()
        tracer.shutdown(timeout_s=0.1)
        assert time.monotonic() - began < 3
