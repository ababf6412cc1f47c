"""One order followed: its spans and log lines as tables, the waterfall."""

import os

import pandas as pd
import pytest

from bpdemo.lab import serve
from bpdemo.lab.lessons.tracing import send_traced, waterfall


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))


def test_an_order_is_found_by_its_trace_in_spans_and_log():
    """All spans and the log line carry the caller's trace id, and the parts make up the whole."""
    with serve(workers=1, traces="memory") as service:
        receipt = send_traced(service)
        spans = service.traces().query("trace_id == @receipt.trace_id")
        line = service.log_frame().query("trace_id == @receipt.trace_id")
    took_ms = spans.set_index("name").duration_ms.groupby("name").sum()
    assert receipt.status == 201
    assert {"POST /orders", "queue", "work", "payment attempt", "store attempt"} == set(
        took_ms.index
    )
    # The span of the request ends a moment after its answer is read, or before.
    assert took_ms["queue"] + took_ms["work"] <= min(took_ms["POST /orders"], receipt.latency_ms)
    assert line.request_id.item() == receipt.request_id
    assert spans.set_index("name").http_status["POST /orders"] == 201


def test_whoever_has_his_answer_finds_its_span():
    """The answer leaves a moment before the span of its request ends."""
    with serve(workers=1, payment_latency_s=0, store_latency_s=0, traces="memory") as service:
        for _ in range(200):
            request_id = service.post("/orders", {"item_id": 1, "quantity": 1}).headers[
                "X-Request-Id"
            ]
            assert request_id == service._host.spans[-1].attributes["request_id"]


def test_a_service_that_keeps_no_spans_says_how_it_would():
    """In a process, or without traces in memory, there is nothing to show."""
    with serve(workers=1) as service, pytest.raises(ValueError, match=r"traces=.memory"):
        service.traces()


def test_the_process_is_known():
    """Its own where it has one, this one's where it is a thread."""
    with serve(workers=1) as thread, serve(workers=1, where="process", name="p") as process:
        assert thread.pid == os.getpid() != process.pid


SPANS = pd.DataFrame(
    [("queue", 1.0, 900.0), ("work", 1.9, 42.0), ("payment attempt", 1.9, 40.0),
     ("store attempt", 1.94, 2.0), ("POST /orders", 1.0, 943.0)],
    columns=["name", "start_s", "duration_ms"],
)  # fmt: skip


def test_a_waterfall_is_read_from_the_first_to_the_last():
    """A bar for each span, where it began, the whole above its parts; the title tells the sum."""
    figure = waterfall(SPANS, seen_ms=946)
    bars = figure.data[0]
    assert list(bars.x) == [943, 900, 42, 40, 2]
    assert list(bars.base) == pytest.approx([0, 0, 900, 900, 940])
    assert figure.layout.yaxis.ticktext[0] == "<b>POST /orders</b>"
    title = figure.layout.annotations[0].text.replace("</b><br><b>", " ")
    assert (
        title
        == "<b>Of its 946 ms: 900 ms in the queue, 40 ms for the payment, 2 ms for the store.</b>"
    )


def test_every_duration_is_written_beside_its_bar():
    """On the side where there is room."""
    texts = waterfall(SPANS).layout.annotations[1:]
    assert [text.text for text in texts] == [f"<b>{ms:.1f} ms</b>" for ms in (943, 900, 42, 40, 2)]
    assert [text.xanchor for text in texts] == ["left", "left", "right", "right", "right"]
