"""A fault inside the simulated service ends its run, and is told once."""

import asyncio
from typing import Any
from unittest.mock import patch

import pytest

from bpdemo.flow.codel import CoDel
from bpdemo.flow.queue import BoundedQueue
from bpdemo.lab.lessons.limit_rules import simulate_rule
from bpdemo.lab.services.simulation import simulate
from bpdemo.sim import virtual_time
from bpdemo.sim.play import prepare

#: Where a lesson lets its reader change the service, and the settings that make it come there.
PLACES = [
    (CoDel, "sheds", {"queue_discipline": "codel"}),
    (BoundedQueue, "take", {}),
    (BoundedQueue, "place_freed", {}),
]


class Mistake(Exception):
    """What the reader's own code raises."""


def mistaken(*_: Any, **__: Any) -> Any:
    raise Mistake("mine")


@pytest.mark.parametrize(("kind", "method", "knobs"), PLACES)
def test_what_fails_in_the_service_is_raised_and_nothing_is_logged(
    kind: type, method: str, knobs: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Instead of one traceback in the log for each request, and a picture of a service at 0%."""
    with patch.object(kind, method, mistaken), pytest.raises(Mistake, match="mine"):
        simulate({"workers": 2, **knobs}, times=2, seconds=3)
    assert caplog.text == ""
    assert simulate({"workers": 2, **knobs}, times=2, seconds=3).summary["goodput_per_s"] > 0


@pytest.mark.parametrize("fails_after", [0, 1, 30])
def test_a_rule_that_fails_is_told_with_the_readers_own_line(
    fails_after: int, caplog: pytest.LogCaptureFixture
) -> None:
    """At its first call or later; the traceback ends in the rule, and the rule is asked no more."""
    asked = 0

    def rule(limit: float, *_: object) -> float:
        nonlocal asked
        asked += 1
        return limit if asked <= fails_after else mistaken()

    with pytest.raises(Mistake) as raised:
        simulate_rule(rule, times=2, seconds=3)
    assert raised.traceback[-2].name == "rule"
    assert caplog.text == ""


@pytest.mark.parametrize("given", [None, "16", float("nan")])
def test_a_rule_that_gives_no_number_is_told_what_it_was_asked(given: Any) -> None:
    """A branch without its `return` gives None."""
    with pytest.raises(TypeError, match=r"rule must return .* not .*limit=4, in_flight=\d"):
        simulate_rule(lambda *_: given, knobs={"workers": 2}, times=2, seconds=3)


def test_a_run_that_is_played_in_steps_raises_it_too() -> None:
    """As a page does that shows the run while it goes on."""
    steps = virtual_time.Steps(prepare({"workers": 2}, times=2, seconds=3).run())
    with patch.object(BoundedQueue, "take", mistaken), pytest.raises(Mistake):
        steps.advance(4)


def test_a_run_that_is_cancelled_is_cancelled() -> None:
    """From outside, without any fault."""

    async def stopped_early() -> None:
        task = asyncio.get_running_loop().create_task(prepare({}, times=2, seconds=9).run())
        asyncio.get_running_loop().call_later(1, task.cancel)
        await task

    with pytest.raises(asyncio.CancelledError):
        virtual_time.run(stopped_early())
