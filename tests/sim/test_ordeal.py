"""One ordeal: stuck or recovered, and the early verdict is that of the whole minute."""

import asyncio
import random
import signal
from collections import Counter
from itertools import count
from typing import Any

import pytest

from bpdemo.core.settings import Settings
from bpdemo.downstream.payment import SimulatedPayment
from bpdemo.sim import margin, ordeal
from bpdemo.sim.margin import Asked
from bpdemo.sim.ordeal import UNTIL_S, WARM_S, Trigger
from bpdemo.sim.virtual_time import Steps

pytestmark = pytest.mark.slow

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


#: Each may be a hole in what is foretold: it refuses orders, or makes some shorter, or rarer.
KNOBS: dict[str, list[Any]] = {
    "workers": [1, 2, 3], "payment_latency_s": [0.02, 0.1, 0.3],
    "payment_latency_distribution": ["lognormal", "exponential", "bimodal"],
    "payment_failure_rate": [0.4], "payment_hang_rate": [0.1], "store_failure_rate": [0.3],
    "retry_attempts": [1], "queue_capacity": [0, 2], "queue_discipline": ["lifo", "codel"],
    "initial_stock": [50], "pool_max": [1], "max_in_flight": [4], "limit_algorithm": ["aimd"],
    "request_timeout_s": [0.3], "attempt_timeout_s": [0.25], "breaker_enabled": [True],
    "drop_on_disconnect": [True],
}  # fmt: skip
ARGUMENTS: dict[str, list[Any]] = {
    "retries": [0, 1], "send_keys": [True], "client_timeout_s": [0.3, 1.5], "retry_budget": [0.1],
    "backoff": ["exponential"], "retry_policy": ["sre_throttling"], "send_deadline": [True],
    "browse_per_s": [5.0], "item_id": [1],
}  # fmt: skip


def drawn(chance: random.Random) -> tuple[Asked, float]:
    """A service and a load with up to two things turned, and a length of trigger."""
    turned = chance.sample(sorted(KNOBS | ARGUMENTS), chance.choice([0, 1, 2]))
    knobs = {name: chance.choice(KNOBS[name]) for name in turned if name in KNOBS}
    others = {name: chance.choice(ARGUMENTS[name]) for name in turned if name in ARGUMENTS}
    made = chance.choice([Settings, Settings.unprotected, Settings.unprotected])
    settings = made(**{"workers": 2, "payment_latency_s": 0.2, **knobs})
    load = chance.choice([0.3, 0.5, 0.7, 0.9, 1.1])
    return asked(settings, load, **others), chance.choice([0.0, 0.2, 0.5, 1.0, 2.0, 5.0])


def test_no_early_verdict_is_another_than_that_of_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is turned, on many services with short windows; many end before the window
    begins, and with either verdict."""
    for name, seconds in {"WARM_S": 1.0, "FROM_S": 3.0, "UNTIL_S": 6.0}.items():
        monkeypatch.setattr(ordeal, name, seconds)
    monkeypatch.setattr(margin, "WARM_S", 1.0)
    monkeypatch.setattr(margin, "UNTIL_S", 6.0)
    foretold = Counter[bool]()
    for seed in range(50):
        question, trigger_s = drawn(random.Random(seed))
        early, whole = (question.ordeal(trigger_s, seed) for _ in range(2))
        verdict = early.judge()
        assert verdict is whole.judge(to_the_end=True), (seed, question, trigger_s)
        last_s = max((order.t_s for order in early.orders), default=0.0)
        foretold[verdict] += last_s < 1.0 + trigger_s + 3.0
    assert min(foretold[True], foretold[False]) >= 2


@pytest.mark.parametrize(
    ("knobs", "arguments", "load"),
    [
        pytest.param({"workers": 2}, {"send_keys": True}, 0.6, id="keys"),
        pytest.param(
            {"workers": 2, "payment_failure_rate": 0.4, "retry_attempts": 1},
            {"retries": 0}, 0.9, id="failures",
        ),
    ],
)  # fmt: skip
def test_what_shortens_a_queue_is_waited_for(
    knobs: dict[str, Any], arguments: dict[str, Any], load: float
) -> None:
    """These recover from a long queue, which was once taken for one that only grows."""
    assert not asked(Settings.unprotected(**knobs), load, **arguments).is_stuck(8.0, 0)


def test_a_verdict_comes_early() -> None:
    """A recovery ends a run seconds after the trigger, and so does a queue that only grows."""
    for trigger_s in (0.6, 2.5):
        played = asked().ordeal(trigger_s, 1)
        played.judge()
        assert max(order.t_s for order in played.orders) < WARM_S + trigger_s + 20


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


@pytest.mark.parametrize("number", [1, 20])
def test_ctrl_c_in_a_job_ends_the_ordeal(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """It is not taken for a job that crashed, with a verdict all the same."""
    charge, charges = SimulatedPayment.charge, count(1)

    async def interrupted(self: SimulatedPayment, *args: Any) -> Any:
        if next(charges) == number:
            signal.raise_signal(signal.SIGINT)
        return await charge(self, *args)

    monkeypatch.setattr(SimulatedPayment, "charge", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # as a kernel has it
    try:
        with pytest.raises(KeyboardInterrupt):
            asked().is_stuck(0.3, 1)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert next(charges) <= number + 3  # no more than the turn it came in


def test_ctrl_c_behind_the_last_turn_lets_the_rest_clean_up() -> None:
    """The loop has stopped by then, and must run once more."""
    cleaned: list[str] = []

    async def main() -> None:
        try:
            await asyncio.sleep(9)
        finally:
            await asyncio.sleep(1)
            cleaned.append("up")

    steps = Steps(main())
    steps.advance(1.0)
    steps._loop.stop()
    steps.close()
    assert cleaned == ["up"]


def test_a_trigger_turns_its_knobs_and_turns_them_back() -> None:
    """On after the warm-up, off when its time is over, to what the settings say."""
    settings = Settings(payment_latency_s=0.03)
    trigger = Trigger.slow_payment(settings, times=4)
    assert trigger.changes(settings, 2.0) == [
        (WARM_S, {"payment_latency_s": 0.12}),
        (WARM_S + 2.0, {"payment_latency_s": 0.03}),
    ]
