"""07b: what a busy machine does to a trace is not put down to the learner."""

from typing import Any

import pytest

from bpdemo.lab.exercises.judges import lesson_07
from bpdemo.results.validity import NotMeasured


def trace(**took_ms: float) -> list[dict[str, Any]]:
    """An order of 100 ms, with parts of these durations."""
    rows = [("POST /orders", "root", "caller", 100.0)]
    rows += [(name, name, "root", ms) for name, ms in took_ms.items()]
    columns = ("name", "span_id", "parent_id", "duration_ms")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def test_a_trace_that_came_out_otherwise_is_recorded_again() -> None:
    """The first one has the payment to blame, where the queue was to be."""
    traces = [trace(queue=20, payment=70), trace(queue=80, payment=10)]
    recorded = iter(traces)
    assert lesson_07._as_told(lambda: next(recorded), "queue") == traces[1]


@pytest.mark.parametrize("part", ["payment", "POST /orders"])
def test_a_machine_that_never_gives_such_a_trace_is_told(part: str) -> None:
    """Nobody can be judged by it; the time of an order itself counts without its parts."""
    of_another = {"payment": trace(queue=20, payment=70), "POST /orders": trace(queue=20)}
    with pytest.raises(NotMeasured, match="queue took less"):
        lesson_07._as_told(lambda: of_another[part], "queue")
