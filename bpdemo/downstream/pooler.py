"""A connection pooler, such as PgBouncer, between us and the database.

In its usual mode each transaction may run on another connection of the database. What a connection
remembers is then lost or, worse, another client's: its settings, its prepared statements, what it
listens to. So behind a pooler nothing may outlive a transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg

from bpdemo.downstream.address import connection_arguments

if TYPE_CHECKING:  # generic for the type checker only
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = PoolConnectionProxy[asyncpg.Record]

PROBE_S: Final = 10.0
#: A setting that nobody else will have chosen, in milliseconds.
MARK_MS: Final = "86399999"
MARKED: Final = "idle_in_transaction_session_timeout"
ASK: Final = f"SELECT setting FROM pg_catalog.pg_settings WHERE name = '{MARKED}'"
#: asyncpg keeps the statements it prepared for the next time on the same connection.
NOTHING_KEPT: Final[dict[str, Any]] = {"statement_cache_size": 0}


async def is_pooled(url: str) -> bool:
    """Whether the settings that a connection begins with are refused on the way, or lost there.

    A server of its own takes them. Raises what the driver raises.
    """
    try:
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            **connection_arguments(url), **NOTHING_KEPT,
            timeout=PROBE_S, command_timeout=PROBE_S, server_settings={MARKED: MARK_MS},
        )  # fmt: skip
    except asyncpg.ProtocolViolationError as error:
        if MARKED not in str(error):
            raise
        return True
    try:
        async with connection.transaction():
            return bool(await connection.fetchval(ASK) != MARK_MS)
    finally:
        connection.terminate()


class LoneTransaction:
    """One transaction around all that a connection is lent for, with limits of its own."""

    def __init__(self, connection: Connection, limits: str) -> None:
        self._connection = connection
        self._limits = limits
        self._transaction = connection.transaction(isolation="read_committed")

    async def begin(self) -> None:
        await self._transaction.start()
        await self._connection.execute(self._limits)

    async def commit(self) -> None:
        await self._transaction.commit()

    async def roll_back(self) -> None:
        """After an error. A connection that cannot be brought to rest is given up."""
        try:
            await self._transaction.rollback()
        except BaseException:
            self._connection.terminate()
            raise
