"""One line per admitted caller, one per reason for the many that were turned away."""

import io
import json

import pytest

from bpdemo.core.events import (
    BreakerMoved,
    DurableOrderEnded,
    JobStarted,
    MoneyOwed,
    OrderAdmitted,
    OrderEnded,
    OrderRejected,
)
from bpdemo.telemetry.logs import make_logger
from bpdemo.telemetry.order_log import OrderLog
from bpdemo.telemetry.tracer import make_tracer
from bpdemo.telemetry.traces import SpanIds

SOLD = OrderEnded("success", None, "r-1", 0.0123456, 0.04)


class Lines:
    """A stream that reads back what was logged, without the time."""

    def __init__(self):
        self.stream = io.StringIO()
        self.log = make_logger("json", "info", self.stream)

    def take(self):
        text = self.stream.getvalue()
        self.stream.seek(0)
        self.stream.truncate()
        lines = [json.loads(line) for line in text.splitlines()]
        for line in lines:
            del line["timestamp"]
        return lines


@pytest.fixture
def lines():
    return Lines()


def test_a_settled_order_is_one_line(lines):
    OrderLog(lines.log).observe(SOLD)
    assert lines.take() == [
        {
            "event": "order",
            "level": "info",
            "outcome": "success",
            "reason": None,
            "request_id": "r-1",
            "queue_ms": 12.346,
            "service_ms": 40.0,
        }
    ]


def test_the_line_names_the_current_span(lines):
    OrderLog(lines.log, lambda: SpanIds("a" * 32, "b" * 16)).observe(SOLD)
    [line] = lines.take()
    assert (line["trace_id"], line["span_id"]) == ("a" * 32, "b" * 16)


def test_the_line_carries_the_ids_of_a_real_trace(lines):
    tracer = make_tracer("memory", lambda: 0.0)
    order_log = OrderLog(lines.log, tracer.ids)
    with tracer.edge("POST /orders", None):
        order_log.observe(SOLD)
        trace_id = tracer.trace_id()
    order_log.observe(SOLD)
    within, without = lines.take()
    assert within["trace_id"] == trace_id
    assert "trace_id" not in without


def test_refusals_are_one_line_per_reason_with_count_and_first_example(lines):
    order_log = OrderLog(lines.log)
    order_log.flush(10.0)
    for number in range(1000):
        order_log.observe(OrderRejected("queue_full", f"r-{number}"))
    order_log.observe(OrderRejected("draining", "r-x"))
    assert lines.take() == []  # nothing is written while refusing
    order_log.flush(11.0)
    assert lines.take() == [
        {
            "event": "refused",
            "level": "warning",
            "reason": reason,
            "count": count,
            "example_request_id": example,
            "over_s": 1.0,
        }
        for reason, count, example in [("queue_full", 1000, "r-0"), ("draining", 1, "r-x")]
    ]


def test_a_flush_begins_anew_and_is_silent_when_nobody_was_refused(lines):
    order_log = OrderLog(lines.log)
    order_log.observe(OrderRejected("queue_full", "r-1"))
    order_log.flush(1.0)
    assert "over_s" not in lines.take()[0]  # nobody knows since when
    order_log.flush(2.0)
    assert lines.take() == []
    order_log.observe(OrderRejected("queue_full", "r-2"))
    order_log.flush(3.5)
    [line] = lines.take()
    assert (line["count"], line["example_request_id"], line["over_s"]) == (1, "r-2", 1.5)


def test_what_a_durable_worker_did_is_one_line(lines):
    OrderLog(lines.log).observe(DurableOrderEnded("failed", "sold_out", "o-1", 0.0123456))
    assert lines.take() == [
        {
            "event": "durable_order",
            "level": "info",
            "outcome": "failed",
            "reason": "sold_out",
            "order_id": "o-1",
            "service_ms": 12.346,
        }
    ]


def test_breaker_moves_are_told_and_an_open_one_is_a_warning(lines):
    order_log = OrderLog(lines.log)
    order_log.observe(BreakerMoved("payment", "open"))
    order_log.observe(BreakerMoved("payment", "half_open"))
    told = [(line["level"], line["dependency"], line["to"]) for line in lines.take()]
    assert told == [("warning", "payment", "open"), ("info", "payment", "half_open")]


def test_money_owed_is_told_when_it_changes(lines):
    order_log = OrderLog(lines.log)
    for owed in (1, 1, 2, 2, 1):
        order_log.observe(MoneyOwed(owed))
    assert [line["owed"] for line in lines.take()] == [1, 2, 1]


def test_other_events_are_no_lines(lines):
    order_log = OrderLog(lines.log)
    order_log.observe(OrderAdmitted())
    order_log.observe(JobStarted(0.1))
    assert lines.take() == []
