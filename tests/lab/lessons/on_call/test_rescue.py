"""What somebody on call does to a stuck service, step by step."""

from __future__ import annotations

from typing import Any

import pytest

from bpdemo.core.errors import SettingsInvalid
from bpdemo.lab.lessons.on_call.recovery import lost, recovered_after_s, served_by_second
from bpdemo.lab.lessons.on_call.rescue import simulate_rescue
from bpdemo.plan.fates import NO_CONNECTION, SHED

SMALL: dict[str, Any] = {"settings": {"workers": 2}, "trigger": (), "seconds": 8}


def test_without_a_trigger_nothing_is_lost():
    """A quiet run, in which nobody acts."""
    run = simulate_rescue(**SMALL)
    assert recovered_after_s(run, 2) == 0
    assert lost(run, 0) == 0
    assert run.meta.marks == ()


def test_while_it_restarts_callers_find_no_connection_and_then_it_serves():
    """Two seconds of it, and a mark where it began."""
    run = simulate_rescue([(3, {"restart_s": 2})], **SMALL)
    down = run.records.status == NO_CONNECTION
    assert down.any()
    assert run.records.t_s[down].min() >= 3 - 0.5
    assert run.records.t_s[down].max() < 5
    assert recovered_after_s(run, 3) == 2
    assert lost(run, 0) == down.sum()
    assert run.meta.marks == ((3, "restart of 2 s"),)
    assert served_by_second(run) == {1: 1, 2: 1, 3: 1, 4: 0, 5: 0, 6: 1, 7: 1, 8: 1}


def test_what_is_done_in_one_moment_is_marked_once():
    """There is room for few marks above a picture; the first of two steps must not be lost."""
    run = simulate_rescue([(3, {"restart_s": 1, "queue_capacity": 8})], **SMALL)
    assert run.meta.marks == ((3, "restart of 1 s, queue_capacity 8"),)
    run = simulate_rescue([(3, {"restart_s": 1}), (3, {"shed_upstream": 0.9})], **SMALL)
    assert run.meta.marks == ((3, "restart of 1 s, 90% shed upstream"),)


def test_a_restart_empties_the_queue():
    """What waited hears so at once, and is not processed afterwards."""
    stuck: dict[str, Any] = {"settings": {"workers": 2}, "seconds": 12}
    waited = simulate_rescue(**stuck).frame
    emptied = simulate_rescue([(10, {"restart_s": 1})], **stuck).frame
    assert waited.queue_depth[waited.t_s >= 10].iloc[0] > 50
    assert emptied.queue_depth[(emptied.t_s >= 10) & (emptied.t_s < 11)].max() <= 5


def test_a_gateway_sheds_its_share_of_customers_with_all_their_attempts():
    """Who was rejected once is rejected again; the others are served."""
    run = simulate_rescue([(0, {"shed_upstream": 0.5}), (6, {"shed_upstream": 0})], **SMALL)
    records = run.records
    early = records.t_s < 5.9
    shed = early & (records.fate == SHED)
    assert 0.35 < shed.sum() / early.sum() < 0.65
    assert set(records.attempts[shed]) == {4}
    assert set(records.attempts[early & ~shed]) == {1}
    assert lost(run, 6) == 0


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        ([(3, {"restart_s": -1})], "restart_s"),
        ([(3, {"shed_upstream": 2})], "shed_upstream"),
        ([(9, {"restart_s": 1})], "changes"),
        ([(3, 4)], "changes must be pairs"),
    ],
)
def test_a_step_that_cannot_be_taken_is_named(steps: Any, named: str):
    """Before anything is played."""
    with pytest.raises(ValueError, match=named):
        simulate_rescue(steps, **SMALL)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"changes": [(1, {"queue_capacity": 8})]}, "changes are made by `trigger` and `steps`"),
        ({"seconds": "x"}, "seconds must be a number from 0.1 to 7200, not 'x'"),
        ({"seconds": None}, "seconds must be a number"),
        ({"seconds": 10**400}, "seconds must be a number"),
        ({"retries": "x"}, "retries must be a whole number"),
        ({"rate": "x"}, "rate must be a number"),
        ({"times": "x"}, "times must be a number"),
        ({"seed": "x"}, "seed must be a whole number"),
        ({"client_timeout_s": "x"}, "client_timeout_s must be a number"),
        ({"bin_s": "x"}, "bin_s must be a number"),
        ({"trigger": 5}, "trigger"),
        ({"settings": 5}, "settings"),
        ({"steps": 5}, "changes must be pairs"),
    ],
)
def test_a_wrong_argument_is_told_in_a_line(wrong: dict[str, Any], named: str):
    """By its name, before anything is played."""
    with pytest.raises((ValueError, TypeError), match=named) as told:
        simulate_rescue(**{"steps": [(3, {"restart_s": 1})], **SMALL, **wrong})
    assert "\n" not in str(told.value)
    assert "multiple values" not in str(told.value)


@pytest.mark.parametrize(
    ("second", "up_s"), [((3.5, 0.5), 5), ((3.5, 0), 5), ((4, 2), 6)], ids=["less", "none", "more"]
)
def test_a_second_restart_never_shortens_the_first(second: tuple[float, float], up_s: float):
    """It may make the outage longer."""
    at_s, down_s = second
    run = simulate_rescue([(3, {"restart_s": 2}), (at_s, {"restart_s": down_s})], **SMALL)
    down = run.records.t_s[run.records.status == NO_CONNECTION]
    assert up_s - 0.3 < down.max() < up_s


def test_a_knob_that_does_not_exist_is_named():
    """As in `changes`."""
    with pytest.raises(SettingsInvalid, match="queue_size"):
        simulate_rescue([(3, {"queue_size": 4})], **SMALL)
