"""Faults befall as often and as long as asked, and a failed write may have happened."""

import asyncio
import math
from random import Random

import pytest

from bpdemo.core.errors import DependencyError
from bpdemo.core.ports import Payment, Store
from bpdemo.downstream.faults import FaultPolicy, FaultyPayment, FaultyStore
from bpdemo.downstream.memory import MemoryStore
from bpdemo.downstream.payment import PaymentPolicy, SimulatedPayment
from tests.downstream.orders import an_order
from tests.support.policies import usual
from tests.support.virtual import virtual

OUTAGE = usual(FaultPolicy, outage=True)


def faulty_store(policy: FaultPolicy) -> tuple[FaultyStore, MemoryStore]:
    store = MemoryStore(1_000_000)
    return FaultyStore(store, policy, Random(1)), store


def faulty_payment(policy: FaultPolicy) -> FaultyPayment:
    clock = asyncio.get_running_loop().time
    return FaultyPayment(
        SimulatedPayment(usual(PaymentPolicy, latency_s=0.0), Random(2), clock), policy, Random(3)
    )


async def call_each(store: Store, payment: Payment) -> list[BaseException | object]:
    """One call of every method there is."""
    calls = [
        store.list_items(1, 0),
        store.find_item(1),
        store.find_order("x"),
        store.find_order_by_key("x"),
        store.place(an_order()),
        store.void("never placed"),
        store.take_back("never placed"),
        payment.charge("a", 1),
        payment.refund("a"),
    ]
    return await asyncio.gather(*calls, return_exceptions=True)


@virtual
async def test_without_faults_nothing_is_changed_and_nothing_takes_time() -> None:
    store, behind = faulty_store(usual(FaultPolicy))
    order = an_order()
    assert (await store.place(order)).order == order
    assert await store.find_order(order.id) == await behind.find_order(order.id)
    assert await store.list_items(3, 0) == await behind.list_items(3, 0)
    assert asyncio.get_running_loop().time() == 0


@virtual
async def test_in_an_outage_every_call_fails_at_once() -> None:
    store, behind = faulty_store(usual(FaultPolicy, latency_s=1.0, outage=True))
    payment = faulty_payment(OUTAGE)
    answers = await call_each(store, payment)
    assert {type(answer) for answer in answers} == {DependencyError}
    assert asyncio.get_running_loop().time() == 0
    assert not behind.orders
    assert payment.book.charged == 0


@virtual
async def test_start_and_stop_are_spared() -> None:
    store, _ = faulty_store(OUTAGE)
    await store.start()
    await store.stop()


@virtual
async def test_latency_stands_before_each_call() -> None:
    store, _ = faulty_store(usual(FaultPolicy, latency_s=0.5))
    clock = asyncio.get_running_loop().time
    await store.find_item(1)
    assert clock() == pytest.approx(0.5)
    await store.place(an_order())
    assert clock() == pytest.approx(1.0)


@virtual
async def test_a_share_of_the_calls_fails() -> None:
    store, _ = faulty_store(usual(FaultPolicy, failure_rate=0.3))
    answers = await asyncio.gather(
        *(store.find_item(1) for _ in range(10_000)), return_exceptions=True
    )
    failed = sum(isinstance(answer, DependencyError) for answer in answers)
    assert failed / 10_000 == pytest.approx(0.3, abs=0.02)


@virtual
async def test_half_of_the_failed_writes_have_happened() -> None:
    store, behind = faulty_store(usual(FaultPolicy, failure_rate=1.0))
    payment = faulty_payment(usual(FaultPolicy, failure_rate=1.0))
    for number in range(2_000):
        with pytest.raises(DependencyError):
            await store.place(an_order())
        with pytest.raises(DependencyError):
            await payment.charge(str(number), 1)
    assert len(behind.orders) / 2_000 == pytest.approx(0.5, abs=0.05)
    assert payment.book.charged / 2_000 == pytest.approx(0.5, abs=0.05)


@virtual
async def test_faults_come_and_go_while_it_runs() -> None:
    store, _ = faulty_store(usual(FaultPolicy))
    payment = faulty_payment(usual(FaultPolicy))
    store.policy = payment.policy = OUTAGE
    assert {type(answer) for answer in await call_each(store, payment)} == {DependencyError}
    store.policy = payment.policy = usual(FaultPolicy)
    answers = await call_each(store, payment)
    assert not any(isinstance(answer, BaseException) for answer in answers)


@pytest.mark.parametrize(
    "wrong",
    [{"latency_s": -1.0}, {"latency_s": math.inf}, {"failure_rate": 1.1}, {"failure_rate": -0.1}],
)
def test_faults_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        usual(FaultPolicy, **wrong)
