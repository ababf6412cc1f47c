"""The store that the settings ask for, not started: in memory, or in a PostgreSQL.

asyncpg is imported only by those who use it: the demo mode starts faster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpdemo.assembly.office import Storage, in_memory
from bpdemo.core.ports import Observer
from bpdemo.core.settings import Settings

if TYPE_CHECKING:
    from bpdemo.downstream.connections import PoolPolicy
    from bpdemo.downstream.postgres import PostgresStore


def storage_for(settings: Settings, observer: Observer) -> Storage:
    """Where that service keeps its orders, and promises them."""
    if settings.store == "memory":
        return in_memory(settings, observer)
    from bpdemo.downstream.backlog import PostgresBacklog

    store = postgres_for(settings, observer)
    return Storage(store, PostgresBacklog(store))


def postgres_for(settings: Settings, observer: Observer) -> PostgresStore:
    """The store in a PostgreSQL: one that is there, or one that is started for it."""
    from bpdemo.downstream.embedded_store import EmbeddedStore
    from bpdemo.downstream.postgres import PostgresStore

    pool, stock = pool_policy(settings), settings.initial_stock
    if settings.store == "embedded":
        return EmbeddedStore(pool, stock, observer)
    assert settings.database_url is not None, "Settings sees to it"
    return PostgresStore(settings.database_url.get_secret_value(), pool, stock, observer)


def pool_policy(s: Settings) -> PoolPolicy:
    """The slice of the connections to a database."""
    from bpdemo.downstream.connections import PoolPolicy

    return PoolPolicy(
        min_size=s.pool_min,
        max_size=s.pool_max,
        acquire_timeout_s=s.pool_acquire_timeout_s,
        # As long as an attempt: beyond that nobody waits for a statement.
        statement_timeout_s=s.attempt_timeout_s,
    )
