"""A store whose calls say on the span around them what they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bpdemo.core.model import Item, Order, Placed
from bpdemo.core.ports import Store, Tracer

SYSTEM: Final = "postgresql"


class TracedStore:
    """Names database system and operation, by OpenTelemetry's semantic conventions."""

    def __init__(self, store: Store, tracer: Tracer) -> None:
        self._store = store
        self._tracer = tracer

    def _tell(self, operation: str) -> None:
        self._tracer.note(**{"db.system.name": SYSTEM, "db.operation.name": operation})

    async def start(self) -> None:
        await self._store.start()

    async def stop(self) -> None:
        await self._store.stop()

    async def list_items(self, limit: int, after: int) -> Sequence[Item]:
        self._tell("SELECT")
        return await self._store.list_items(limit, after)

    async def find_item(self, item_id: int) -> Item | None:
        self._tell("SELECT")
        return await self._store.find_item(item_id)

    async def find_order(self, order_id: str) -> Order | None:
        self._tell("SELECT")
        return await self._store.find_order(order_id)

    async def find_order_by_key(self, key: str) -> Order | None:
        self._tell("SELECT")
        return await self._store.find_order_by_key(key)

    async def place(self, order: Order) -> Placed:
        self._tell("INSERT")
        return await self._store.place(order)

    async def take_back(self, order_id: str) -> None:
        self._tell("UPDATE")
        await self._store.take_back(order_id)

    async def void(self, order_id: str) -> Order | None:
        self._tell("INSERT")
        return await self._store.void(order_id)
