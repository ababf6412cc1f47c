"""The payment of promised orders: its ledger stands in PostgreSQL, so every worker sees it."""

from collections.abc import Callable
from random import Random

from bpdemo.core.errors import DependencyError
from bpdemo.core.model import PaymentBook
from bpdemo.downstream import durable_sql
from bpdemo.downstream.pause import Pause
from bpdemo.downstream.payment import PaymentPolicy
from bpdemo.downstream.postgres import PostgresStore


class LedgerPayment:
    """Charges once per key, however many workers ask, and after whatever death of one.

    As in `SimulatedPayment`, money moves before the latency passes. `book` tells what moved on
    behalf of this process; the table tells of all.
    """

    def __init__(self, store: PostgresStore, policy: PaymentPolicy, rng: Random) -> None:
        self.book = PaymentBook()
        self._store = store
        self._pause = Pause()
        self._draw_latency: Callable[[], float] = policy.sampler(rng)

    async def charge(self, key: str, amount_cents: int) -> None:
        """Charge once per key. Raises `DependencyError` for a key that was refunded or barred."""
        async with self._store.lend() as connection:
            row = await connection.fetchrow(durable_sql.CHARGE, key, amount_cents)
        assert row is not None, "it inserts or updates"
        stands, is_first = row
        self.book.charged += stands and is_first
        await self._pause.take(self._draw_latency())
        if not stands:
            raise DependencyError("The payment was refunded or barred before.")

    async def refund(self, key: str) -> None:
        """Give back what `key` took, once; a key that took nothing is barred from charging."""
        async with self._store.lend() as connection:
            is_first = await connection.fetchval(durable_sql.REFUND, key)
        self.book.refunded += is_first  # not around the await: two at once would lose a count
        await self._pause.take(self._draw_latency())

    def settle(self, key: str) -> None:
        """The ledger forgets nothing."""
