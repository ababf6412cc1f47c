"""What is shown of a load under way ends before orders whose fate is not known yet."""

from typing import Any

import pytest

from bpdemo.load.driver import Driver
from bpdemo.load.loads import load
from tests.load.stub import StubServer

pytestmark = [pytest.mark.load, pytest.mark.light]

HEARD_S = 14.0


@pytest.mark.parametrize(
    ("how", "ends_s"),
    [
        ({}, 13.5),
        ({"retries": 3}, 12.0),
        ({"retries": 3, "backoff": "exponential"}, 11.5),
        ({"retries": 5, "backoff": "exponential", "client_timeout_s": 1.0}, 10.0),
        ({"client_timeout_s": 30.0}, 10.0),
    ],
    ids=["no retry", "at once", "with backoff", "many", "a long timeout"],
)
def test_an_order_that_may_be_tried_again_is_not_shown_as_missing(
    how: dict[str, Any], ends_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd that retries is not drawn as one that left; nor is the picture more than 4 s old."""
    monkeypatch.setattr(Driver, "heard_until_s", HEARD_S)
    with StubServer() as server:
        running = load(server, rate=20, seconds=60, background=True, **how)
        try:
            assert running.snapshot().meta.seconds == ends_s
        finally:
            running.kill()
