"""The payment of promised orders, in memory: its ledger outlives the workers that write in it."""

import asyncio
from collections.abc import Callable

from bpdemo.core.errors import DependencyError
from bpdemo.core.model import PaymentBook


class MemoryLedger:
    """Charges once for each key, however many workers ask; a key that was refunded is barred.

    Money moves before the latency passes, as it does behind a real network.
    """

    def __init__(self, latency_s: Callable[[], float]) -> None:
        self.book = PaymentBook()
        self._latency_s = latency_s
        self._charged: set[str] = set()
        self._refunded: set[str] = set()

    def keeps(self, key: str) -> bool:
        return key in self._charged and key not in self._refunded

    async def charge(self, key: str, amount_cents: int) -> None:
        barred = key in self._refunded
        if not barred and key not in self._charged:
            self._charged.add(key)
            self.book.charged += 1
        await asyncio.sleep(self._latency_s())
        if barred:
            raise DependencyError("The payment was refunded or barred before.")

    async def refund(self, key: str) -> None:
        self.book.refunded += self.keeps(key)
        self._refunded.add(key)
        await asyncio.sleep(self._latency_s())

    def settle(self, key: str) -> None:
        """It forgets nothing."""
