"""The PostgreSQL store with a server of its own."""

from bpdemo.core.ports import Observer
from bpdemo.downstream.connections import PoolPolicy
from bpdemo.downstream.embedded import EmbeddedPostgres
from bpdemo.downstream.postgres import PostgresStore


class EmbeddedStore(PostgresStore):
    """Starts a server in a fresh folder; other services join it by its `dsn` while it runs."""

    def __init__(self, pool: PoolPolicy, initial_stock: int, observer: Observer) -> None:
        super().__init__("", pool, initial_stock, observer)
        self.server = EmbeddedPostgres()

    async def start(self) -> None:
        """Raises `EmbeddedUnavailable` where PostgreSQL cannot run."""
        self.dsn = await self.server.start()
        try:
            await super().start()
        except BaseException:
            await self.server.stop()
            raise

    async def stop(self) -> None:
        try:
            await super().stop()
        finally:
            await self.server.stop()
