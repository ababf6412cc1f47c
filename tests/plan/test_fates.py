"""Each way an order can end has one fate."""

import pytest

from bpdemo.plan.fates import (
    CALLER_LEFT,
    FAILED,
    LATE,
    NO_CONNECTION,
    OK,
    SHED,
    fate_of,
    is_worth_retrying,
)


@pytest.mark.parametrize(
    ("status", "reason", "waited_s", "fate"),
    [
        (201, "", 0.1, OK),
        (200, "", 0.5, OK),
        (409, "sold_out", 0.1, OK),
        (201, "", 0.51, LATE),
        (409, "sold_out", 0.51, LATE),
        (504, "deadline_exceeded", 0.1, LATE),
        (CALLER_LEFT, "caller_left", 0.5, LATE),
        (429, "client_limit", 0.1, SHED),
        (503, "queue_full", 0.1, SHED),
        (503, "circuit_open", 0.1, SHED),
        (503, "", 0.1, SHED),
        (503, "downstream_failed", 0.1, FAILED),
        (504, "outcome_unknown", 0.1, FAILED),
        (504, "", 0.1, LATE),
        (500, "internal_error", 0.1, FAILED),
        (422, "invalid_request", 0.1, FAILED),
        (408, "read_timeout", 0.1, FAILED),
        (NO_CONNECTION, "no_connection", 0.0, FAILED),
    ],
)
def test_fate(status: int, reason: str, waited_s: float, fate: int) -> None:
    """The fate follows from the last status, its reason, and the patience of half a second."""
    assert fate_of(status, reason, waited_s, client_timeout_s=0.5) == fate


def test_what_was_answered_or_wrong_is_not_sent_again() -> None:
    """A client retries refusals, breakdowns and its own hang-ups, nothing else."""
    assert all(map(is_worth_retrying, (NO_CONNECTION, CALLER_LEFT, 429, 500, 503, 504)))
    assert not any(map(is_worth_retrying, (200, 201, 409, 404, 413, 422)))
