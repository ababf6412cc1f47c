"""Orders that were promised, in PostgreSQL: the promise in our tables, its turn in PgQueuer's."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import asyncpg

from bpdemo.core.errors import DependencyError, QueueFull, SoldOut
from bpdemo.core.model import Order, Placed
from bpdemo.downstream import durable_sql, sql
from bpdemo.downstream.pgqueuer_tables import ENTRYPOINT, queries_on
from bpdemo.downstream.postgres import PostgresStore

if TYPE_CHECKING:
    from bpdemo.downstream.connections import Connection

FULL = "Too many orders wait for a worker."
#: Of the queue's memory, each time; a worker that sweeps every five seconds keeps up with hundreds
#: of orders a second.
FORGOTTEN_AT_ONCE = 20_000


class PostgresBacklog:
    """The backlog of all services and workers that share the store's database."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store

    async def accept(self, order: Order, capacity: int) -> Order:
        # PgQueuer's row and ours, both or neither.
        async with self._store.lend() as connection, connection.transaction():
            return await _promise(connection, order, capacity)

    async def confirm(self, order_id: str) -> Placed | None:
        async with self._store.lend() as connection:
            try:
                row = await connection.fetchrow(durable_sql.CONFIRM, order_id)
            except asyncpg.CheckViolationError as error:
                raise SoldOut from error
            # Not pending, so it is what it became. A statement of its own: a newer snapshot.
            row = row or await connection.fetchrow(sql.FIND_CLAIM, order_id, None)
        return None if row is None else _placed(row)

    async def count_try(self, order_id: str) -> int:
        async with self._store.lend() as connection:
            tries: int | None = await connection.fetchval(durable_sql.COUNT_TRY, order_id)
        return tries or 0

    async def fail(self, order_id: str, reason: str) -> Order | None:
        async with self._store.lend() as connection:
            row = await connection.fetchrow(durable_sql.FAIL, order_id, reason)
            row = row or await connection.fetchrow(sql.FIND_ORDER, order_id)
        return None if row is None else Order(*row)

    async def settle(self, order_id: str) -> None:
        async with self._store.lend() as connection:
            await connection.execute(durable_sql.SETTLE, order_id)

    async def depth(self) -> int:
        async with self._store.lend() as connection:
            depth: int = await connection.fetchval(durable_sql.DEPTH)
        return depth

    async def requeue_lost(self) -> int:
        async with self._store.lend() as connection:
            lost = [row["id"] for row in await connection.fetch(durable_sql.FIND_LOST)]
            queued = await _requeue(connection, lost) if lost else 0
            await connection.execute(durable_sql.FORGET_STEPS, FORGOTTEN_AT_ONCE)
        return queued


async def _promise(connection: "Connection", order: Order, capacity: int) -> Order:
    await connection.execute(durable_sql.LOCK_DEPTH, durable_sql.DEPTH_LOCK)
    promised = await connection.fetchval(
        durable_sql.PROMISE, order.id, order.item_id, order.quantity, order.amount_cents,
        order.created_at, order.key, capacity,
    )  # fmt: skip
    if promised is None:
        # No room, or the id or the key is taken: then that order is the answer, room or not.
        claim = await connection.fetchrow(sql.FIND_CLAIM, order.id, order.key)
        if claim is None:
            raise QueueFull(FULL)
        if claim["item_id"] is None:
            raise DependencyError("The order was voided before.")
        return _placed(claim).order
    await queries_on(connection).enqueue(ENTRYPOINT, order.id.encode(), dedupe_key=order.id)
    return order._replace(status="pending")


async def _requeue(connection: "Connection", lost: Sequence[str]) -> int:
    jobs = await queries_on(connection).enqueue(
        [ENTRYPOINT] * len(lost),
        [order_id.encode() for order_id in lost],
        [0] * len(lost),
        dedupe_key=list(lost),
        on_conflict="skip",  # another worker was quicker
    )
    return sum(job is not None for job in jobs)


def _placed(row: asyncpg.Record) -> Placed:
    *fields, left = row
    return Placed(Order(*fields), left)
