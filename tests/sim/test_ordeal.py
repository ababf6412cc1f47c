"""One ordeal: stuck or recovered, and the early verdict is that of the whole minute."""

import pytest

from bpdemo.core.settings import Settings
from bpdemo.sim.margin import Asked
from bpdemo.sim.ordeal import UNTIL_S, WARM_S, Trigger

#: Two workers: a quarter of the orders, and the same at these lengths.
NAIVE = Settings.unprotected(workers=2)


def asked(settings: Settings = NAIVE, load: float = 0.4, **arguments: object) -> Asked:
    return Asked(settings, Trigger.slow_payment(settings), load, None, {"retries": 3} | arguments)


@pytest.mark.parametrize(
    ("trigger_s", "is_stuck"), [(0.6, False), (2.5, True)], ids=["short", "long"]
)
def test_an_early_verdict_is_that_of_the_whole_minute(trigger_s: float, is_stuck: bool) -> None:
    """Played to its end, the run says the same; so it was certain when it was ended."""
    question = asked()
    assert question.is_stuck(trigger_s, 1) is is_stuck
    whole = question.ordeal(trigger_s, 1)
    assert whole.judge(to_the_end=True) is is_stuck
    assert max(order.t_s for order in whole.orders) > WARM_S + trigger_s + UNTIL_S - 1


def test_a_verdict_comes_early() -> None:
    """A recovery ends a run seconds after the trigger, and so does a queue that only grows."""
    for trigger_s in (0.6, 2.5):
        ordeal = asked().ordeal(trigger_s, 1)
        ordeal.judge()
        assert max(order.t_s for order in ordeal.orders) < WARM_S + trigger_s + 20


@pytest.mark.parametrize(
    "calmed",
    [
        pytest.param({"queue_capacity": 2}, id="bounded"),
        pytest.param({"max_in_flight": 4}, id="limited"),
    ],
)
def test_no_growing_queue_ends_a_run_that_may_yet_recover(calmed: dict[str, object]) -> None:
    """Where orders are refused, a queue says nothing of the end: these recover from what the naive
    service never does."""
    protected = Settings.unprotected(workers=2, **calmed)
    assert asked().is_stuck(2.5, 1)
    assert not asked(protected).is_stuck(2.5, 1)


def test_a_trigger_turns_its_knobs_and_turns_them_back() -> None:
    """On after the warm-up, off when its time is over, to what the settings say."""
    settings = Settings(payment_latency_s=0.03)
    trigger = Trigger.slow_payment(settings, times=4)
    assert trigger.changes(settings, 2.0) == [
        (WARM_S, {"payment_latency_s": 0.12}),
        (WARM_S + 2.0, {"payment_latency_s": 0.03}),
    ]
