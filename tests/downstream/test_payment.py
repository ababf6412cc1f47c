"""Money moves once, and can be given back once, however often and in whatever order one asks."""

import asyncio
import math
from random import Random
from statistics import fmean, median, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.core.choices import DISTRIBUTIONS, Distribution
from bpdemo.core.errors import DependencyError
from bpdemo.core.model import PaymentBook
from bpdemo.downstream.payment import KEY_LIFETIME_S, PaymentPolicy, SimulatedPayment
from tests.support.policies import usual
from tests.support.virtual import virtual

AT_ONCE = usual(PaymentPolicy, latency_s=0.0)


def make_payment(policy: PaymentPolicy = AT_ONCE) -> SimulatedPayment:
    """On the running loop's clock."""
    return SimulatedPayment(policy, Random(1), asyncio.get_running_loop().time)


@virtual
async def test_a_key_is_charged_once() -> None:
    payment = make_payment()
    for _ in range(3):
        await payment.charge("a", 4500)
    await payment.charge("b", 4500)
    assert payment.book == PaymentBook(charged=2)


@virtual
async def test_a_charge_is_refunded_once() -> None:
    payment = make_payment()
    await payment.charge("a", 4500)
    for _ in range(3):
        await payment.refund("a")
    assert payment.book == PaymentBook(charged=1, refunded=1)


@virtual
async def test_a_refunded_key_cannot_be_charged_again() -> None:
    payment = make_payment()
    await payment.charge("a", 4500)
    await payment.refund("a")
    with pytest.raises(DependencyError):
        await payment.charge("a", 4500)
    assert payment.book == PaymentBook(charged=1, refunded=1)


@virtual
async def test_refunding_what_was_never_charged_bars_it() -> None:
    payment = make_payment()
    await payment.refund("a")
    with pytest.raises(DependencyError):
        await payment.charge("a", 4500)
    assert payment.book == PaymentBook()


@virtual
async def test_a_charge_that_was_cancelled_has_been_taken_and_can_be_given_back() -> None:
    payment = make_payment(usual(PaymentPolicy, latency_s=0.04))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await payment.charge("a", 4500)
    assert payment.book.charged == 1
    await payment.refund("a")
    assert payment.book.refunded == 1


@virtual
async def test_the_same_charge_twice_at_once_is_one() -> None:
    payment = make_payment(usual(PaymentPolicy, latency_s=0.04))
    await asyncio.gather(*(payment.charge("a", 4500) for _ in range(5)))
    assert payment.book.charged == 1


@virtual
async def test_a_settled_key_means_nothing_after_a_minute() -> None:
    payment = make_payment()
    await payment.charge("a", 4500)
    payment.settle("a")
    await asyncio.sleep(KEY_LIFETIME_S - 1)
    await payment.charge("a", 4500)
    assert payment.book.charged == 1
    await asyncio.sleep(2)
    await payment.charge("a", 4500)
    assert payment.book.charged == 2


@virtual
async def test_a_bar_is_forgotten_too() -> None:
    payment = make_payment()
    await payment.refund("a")
    await asyncio.sleep(KEY_LIFETIME_S + 1)
    await payment.charge("a", 4500)
    assert payment.book == PaymentBook(charged=1)


@virtual
async def test_a_refund_may_come_late() -> None:
    payment = make_payment()
    await payment.charge("a", 4500)
    await asyncio.sleep(10 * KEY_LIFETIME_S)
    await payment.refund("a")
    assert payment.book == PaymentBook(charged=1, refunded=1)


@virtual
async def test_what_is_settled_is_forgotten_and_what_is_held_is_not() -> None:
    """A refund that is owed through a long outage is made in full; nothing else piles up."""
    payment = make_payment()
    for number in range(1000):
        await payment.charge(f"sold {number}", 1)
        payment.settle(f"sold {number}")
        await payment.charge(f"owed {number}", 1)
    await asyncio.sleep(10 * KEY_LIFETIME_S)
    for number in range(1000):
        await payment.refund(f"owed {number}")
    assert payment.book == PaymentBook(charged=2000, refunded=1000)
    await asyncio.sleep(KEY_LIFETIME_S + 1)
    await payment.refund("another")
    assert len(payment._over) == 1
    assert not payment._held


@virtual
async def test_it_takes_its_latency_whether_it_charges_or_refunds() -> None:
    payment = make_payment(usual(PaymentPolicy, latency_s=0.04))
    clock = asyncio.get_running_loop().time
    await payment.charge("a", 1)
    assert clock() == pytest.approx(0.04)
    await payment.refund("a")
    assert clock() == pytest.approx(0.08)
    payment.policy = usual(PaymentPolicy, latency_s=1.0)
    await payment.charge("b", 1)
    assert clock() == pytest.approx(1.08)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_mean_is_the_latency_asked_for(distribution: Distribution) -> None:
    draw = PaymentPolicy(latency_s=0.04, distribution=distribution).sampler(Random(2))
    assert fmean(draw() for _ in range(200_000)) == pytest.approx(0.04, rel=0.02)


def test_the_distributions_have_their_shape() -> None:
    def sample(distribution: Distribution) -> list[float]:
        draw = PaymentPolicy(latency_s=1.0, distribution=distribution).sampler(Random(3))
        return sorted(draw() for _ in range(100_000))

    assert set(sample("constant")) == {1.0}
    exponential = sample("exponential")
    assert pstdev(exponential) == pytest.approx(1.0, rel=0.03)
    assert median(exponential) == pytest.approx(math.log(2), rel=0.03)
    lognormal = sample("lognormal")
    assert lognormal[99_000] / median(lognormal) == pytest.approx(10.2, rel=0.06)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_no_latency_is_none_under_any_distribution(distribution: Distribution) -> None:
    assert PaymentPolicy(latency_s=0.0, distribution=distribution).sampler(Random(4))() == 0


@pytest.mark.parametrize("latency_s", [-0.1, math.inf, math.nan])
def test_a_latency_that_is_no_time_is_refused(latency_s: float) -> None:
    with pytest.raises(ValueError, match="latency_s"):
        usual(PaymentPolicy, latency_s=latency_s)


def test_the_same_seed_draws_the_same_latencies() -> None:
    first, second = (
        PaymentPolicy(latency_s=1.0, distribution="exponential").sampler(Random(5))
        for _ in range(2)
    )
    assert [first() for _ in range(10)] == [second() for _ in range(10)]


@given(calls=st.lists(st.tuples(st.sampled_from("cr"), st.sampled_from("abc"))))
@virtual
async def test_in_any_order_a_key_is_taken_once_and_returned_once(
    calls: list[tuple[str, str]],
) -> None:
    payment = make_payment()
    first: dict[str, str] = {}
    for what, key in calls:
        first.setdefault(key, what)
        try:
            await (payment.charge(key, 1) if what == "c" else payment.refund(key))
        except DependencyError:
            assert ("r", key) in calls
    charged = [key for key, what in first.items() if what == "c"]
    refunded = [key for key in charged if ("r", key) in calls]
    assert payment.book == PaymentBook(len(charged), len(refunded))
