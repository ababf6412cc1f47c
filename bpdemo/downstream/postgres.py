"""The box office's tables in PostgreSQL.

Every method is a single statement, or a few of which at most one changes anything. So nothing is
left half done: a call that is cancelled has happened on the server, or it has not.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import asyncpg

from bpdemo.core.errors import DependencyError, SoldOut
from bpdemo.core.model import Item, Order, Placed
from bpdemo.core.ports import Observer
from bpdemo.downstream import sql
from bpdemo.downstream.connections import Connections, PoolPolicy
from bpdemo.downstream.outages import startup_told
from bpdemo.downstream.pooler import is_pooled
from bpdemo.downstream.schema import make_ready

if TYPE_CHECKING:
    from bpdemo.downstream.connections import Connection

__all__ = ["PoolPolicy", "PostgresStore"]

MAX_ITEM_ID = 2**31 - 1


class PostgresStore:
    """Shared by every service that is given the same database.

    Survives a server that dies and comes back: calls fail with `DependencyError` meanwhile.
    """

    def __init__(self, dsn: str, pool: PoolPolicy, initial_stock: int, observer: Observer) -> None:
        self.dsn = dsn
        #: Whether a pooler such as PgBouncer stands between; known from the start on.
        self.is_pooled = False
        self._policy = pool
        self._initial_stock = initial_stock
        self._observer = observer
        self._connections: Connections | None = None

    def pool_counts(self) -> Mapping[str, int]:
        """Connections by state: idle and busy."""
        return self._connections.counts() if self._connections else {"idle": 0, "busy": 0}

    def lend(self) -> "AbstractAsyncContextManager[Connection]":
        """One of its connections for the length of the block, for those who share its database."""
        return self._connected.lend()

    def retune(self, statement_timeout_s: float) -> None:
        """Give statements so long from now on. Does nothing before the start."""
        if self._connections:
            self._connections.retune(statement_timeout_s)

    async def start(self) -> None:
        """Make schema and catalogue if they are missing, and the first connections.

        Raises `SettingsInvalid` when the database cannot be used.
        """
        with startup_told():
            self.is_pooled = await is_pooled(self.dsn)
            await make_ready(self.dsn, self._initial_stock)
            connections = Connections(self.dsn, self._policy, self._observer, pooled=self.is_pooled)
            await connections.open()
        self._connections = connections

    async def stop(self) -> None:
        """Close the connections, within two seconds."""
        if self._connections:
            await self._connections.close()

    async def list_items(self, limit: int, after: int) -> Sequence[Item]:
        if after >= MAX_ITEM_ID:
            return []
        async with self._connected.lend() as connection:
            return [Item(*row) for row in await connection.fetch(sql.LIST_ITEMS, after, limit)]

    async def find_item(self, item_id: int) -> Item | None:
        if not 0 <= item_id <= MAX_ITEM_ID:
            return None
        async with self._connected.lend() as connection:
            row = await connection.fetchrow(sql.FIND_ITEM, item_id)
        return None if row is None else Item(*row)

    async def find_order(self, order_id: str) -> Order | None:
        return await self._find(sql.FIND_ORDER, order_id)

    async def find_order_by_key(self, key: str) -> Order | None:
        return await self._find(sql.FIND_ORDER_BY_KEY, key)

    async def place(self, order: Order) -> Placed:
        async with self._connected.lend() as connection:
            # Once more where nothing stands in the way any more: a promise that had the key may
            # have failed, and given it back, between the two statements.
            placed = await _try_to_place(order, connection)
            placed = placed or await _try_to_place(order, connection)
        if placed is None:
            raise SoldOut  # nothing stood in the way: there is no such item
        return placed

    async def void(self, order_id: str) -> Order | None:
        async with self._connected.lend() as connection:
            if await connection.fetchval(sql.VOID, order_id) is not None:
                return None
            row = await connection.fetchrow(sql.FIND_ORDER, order_id)
        return None if row is None else Order(*row)

    async def take_back(self, order_id: str) -> None:
        async with self._connected.lend() as connection:
            if await connection.fetchval(sql.VOID, order_id) is None:
                await connection.execute(sql.TAKE_BACK, order_id)

    @property
    def _connected(self) -> Connections:
        if self._connections is None:
            raise RuntimeError("the store has not been started")
        return self._connections

    async def _find(self, statement: str, text: str) -> Order | None:
        # Ids and keys are printable; what PostgreSQL cannot keep (NUL, lone surrogates) is not.
        if not text.isprintable():
            return None
        async with self._connected.lend() as connection:
            row = await connection.fetchrow(statement, text)
        return None if row is None else Order(*row)


async def _try_to_place(order: Order, connection: "Connection") -> Placed | None:
    try:
        left = await connection.fetchval(
            sql.PLACE, order.id, order.item_id, order.quantity, order.amount_cents,
            order.created_at, order.key,
        )  # fmt: skip
    except asyncpg.CheckViolationError as error:
        raise SoldOut from error
    if left is not None:
        return Placed(order, left)
    return await _standing_for(order, connection)


async def _standing_for(order: Order, connection: "Connection") -> Placed | None:
    """What `order` repeats, by its id, else by its key; None if nothing."""
    claim = await connection.fetchrow(sql.FIND_CLAIM, order.id, order.key)
    if claim is None:
        return None
    if claim["item_id"] is None:
        raise DependencyError("The order was voided before.")
    *fields, left = claim
    return Placed(Order(*fields), left)
