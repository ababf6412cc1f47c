"""The ledger in PostgreSQL: one charge for each key, no matter who asks and however often."""

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest

from bpdemo.core.errors import DependencyError
from bpdemo.downstream.durable_ledger import LedgerPayment
from bpdemo.downstream.payment import PaymentPolicy
from tests.downstream.stage import started
from tests.support.policies import usual
from tests.support.postgres import connected
from tests.support.waiting import until


@pytest.fixture
async def two(database_url: str) -> AsyncIterator[list[LedgerPayment]]:
    """Those of two processes."""
    async with started(database_url) as one, started(database_url) as other:
        yield [
            LedgerPayment(store, usual(PaymentPolicy, latency_s=0.0), Random(1))
            for store in (one, other)
        ]


async def told(url: str, key: str = "k") -> tuple[int, bool, bool]:
    """How often its charge was asked for, whether it was charged, whether it was refunded."""
    async with connected(url) as look:
        row = await look.fetchrow("SELECT * FROM payments WHERE key = $1", key)
    return row["asked"], row["charged_at"] is not None, row["refunded_at"] is not None


async def test_twenty_ask_and_one_charge_is_made(two, database_url):
    """Half of them in another process, all at once."""
    await asyncio.gather(*(two[n % 2].charge("k", 4500) for n in range(20)))
    assert await told(database_url) == (20, True, False)
    assert sum(payment.book.charged for payment in two) == 1


async def test_a_refund_is_made_once(two, database_url):
    """By anyone who asks first."""
    await two[0].charge("k", 4500)
    await asyncio.gather(*(two[n % 2].refund("k") for n in range(10)))
    assert await told(database_url) == (1, True, True)
    assert sum(payment.book.refunded for payment in two) == 1


async def test_a_refunded_key_is_never_charged_again(two):
    """A worker that was slow must not take the money back."""
    await two[0].charge("k", 4500)
    await two[0].refund("k")
    with pytest.raises(DependencyError):
        await two[1].charge("k", 4500)
    assert two[1].book.charged == 0


async def test_refunding_what_was_never_charged_bars_it(two, database_url):
    """The charge that comes afterwards is refused, and nothing counts as moved."""
    await two[0].refund("k")
    with pytest.raises(DependencyError):
        await two[1].charge("k", 4500)
    assert await told(database_url) == (1, False, True)
    assert [payment.book.refunded for payment in two] == [0, 0]


async def test_money_moves_before_the_latency(database_url):
    """So a worker that dies while it waits has charged; anyone who repeats it does not."""
    async with started(database_url) as store:
        slow = LedgerPayment(store, usual(PaymentPolicy, latency_s=3600.0), Random(1))
        charging = asyncio.create_task(slow.charge("k", 4500))
        await until(lambda: slow.book.charged == 1)
        charging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await charging
        await LedgerPayment(store, usual(PaymentPolicy, latency_s=0.0), Random(1)).charge("k", 4500)
    assert await told(database_url) == (2, True, False)
