"""A database made ready for the store, by anyone who comes first."""

from typing import TYPE_CHECKING, TypeAlias

import asyncpg

from bpdemo.downstream import durable_sql, sql
from bpdemo.downstream.address import connection_arguments
from bpdemo.downstream.catalogue import CATALOGUE
from bpdemo.downstream.pooler import NOTHING_KEPT

if TYPE_CHECKING:  # generic for the type checker only
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

#: Any number will do, as long as all services use the same one.
ADVISORY_LOCK = 0x626F786F66666963
READY_S = 10.0


async def make_ready(dsn: str, initial_stock: int) -> None:
    """Make tables and a catalogue with `initial_stock` of each item, unless they are there.

    Several services may do so at once: one works, the others wait for it.
    """
    connection = await asyncpg.connect(
        **connection_arguments(dsn), **NOTHING_KEPT, timeout=READY_S, command_timeout=READY_S
    )
    try:
        # One transaction for all: behind a pooler, the next may be another connection's.
        async with connection.transaction(isolation="read_committed"):
            if not await _is_ready(connection):
                await _make(connection, initial_stock)
    finally:
        connection.terminate()  # nothing is left to say, and saying goodbye may block


async def _make(connection: "Connection", initial_stock: int) -> None:
    await connection.execute("SELECT pg_advisory_xact_lock($1)", ADVISORY_LOCK)
    if await _is_ready(connection):
        return
    there = await _tables(connection)
    if "claims" not in there:
        await connection.execute(sql.CREATE)
        await connection.executemany(sql.SEED, [(*entry, initial_stock) for entry in CATALOGUE])
    await connection.execute(durable_sql.CREATE)
    if "pgqueuer" not in there:
        from bpdemo.downstream.pgqueuer_tables import INSTALL

        await connection.execute(INSTALL)


async def _is_ready(connection: "Connection") -> bool:
    # The last ones made: all are made in one transaction.
    if not {"claims", "payments", "pgqueuer"} <= await _tables(connection):
        return False
    # Younger than any table: an earlier version may have made those.
    has_tries: bool = await connection.fetchval(
        """SELECT EXISTS (
               SELECT FROM information_schema.columns WHERE table_schema = current_schema()
               AND table_name = 'claims' AND column_name = 'tries'
           )"""
    )
    return has_tries


async def _tables(connection: "Connection") -> set[str]:
    # Not to_regclass(): it may answer from what this session has cached, and miss the tables that
    # another one made while we waited for the lock.
    rows = await connection.fetch(
        "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"
    )
    return {row["tablename"] for row in rows}
