"""Changes of knobs, as a load is told of them."""

import pytest

from bpdemo.plan.changes import require_changes, told

DOWN_AND_BACK = [(1.0, {"payment_latency_s": 3600.0}), (2.0, {"payment_latency_s": 0.04})]


def test_changes_come_in_order_and_within_the_load():
    """They are sorted by time, and one after the end is an error that names it."""
    assert require_changes(DOWN_AND_BACK[::-1], 2.0) == DOWN_AND_BACK
    with pytest.raises(ValueError, match=r"changes: each time must be a number from 0 to 1\.5"):
        require_changes(DOWN_AND_BACK, 1.5)


def test_a_knob_without_words_of_its_own_is_named():
    """Name and value, as `GET /settings` has them."""
    assert told({"payment_outage": True, "workers": 4}) == "payment down, workers 4"
