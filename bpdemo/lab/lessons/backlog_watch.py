"""`watch_backlog`: how many promises wait, a few times a second, read from the database itself."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Final, Protocol

from bpdemo.core.slips import forgiving
from bpdemo.downstream.durable_sql import DEPTH

EVERY_S: Final = 0.05


class WithDatabase(Protocol):
    @property
    def database_url(self) -> str | None: ...


class BacklogWatch:
    """Looks until told to stop. `depths` are seconds since `began_s` (of the clock) → promises that
    are not kept yet; no look, no entry.

    Nothing ever waits where there is no database.
    """

    def __init__(self, url: str | None) -> None:
        self.began_s = time.time()
        self.depths: dict[float, float] = {} if url else {0.0: 0.0}
        self._over = threading.Event()
        self._looked = threading.Event()
        self._thread: threading.Thread | None = None
        if url:
            self._thread = threading.Thread(
                target=lambda: asyncio.run(self._watch(url)), daemon=True, name="backlog watch"
            )
            self._thread.start()

    @property
    def now_s(self) -> float:
        return time.time() - self.began_s

    @property
    def deepest(self) -> int:
        return int(max(self.depths.values(), default=0))

    def wait_for(self, depth: int, within_s: float = 20.0) -> float:
        """Wait until at most so many are left, or the time is over; how long that took."""
        start_s = time.monotonic()
        while self._thread and self._thread.is_alive():
            left_s = within_s - (time.monotonic() - start_s)
            self._looked.clear()
            if left_s <= 0 or not self._looked.wait(left_s):
                break
            if next(reversed(self.depths.values())) <= depth:
                break
        return time.monotonic() - start_s

    def stop(self) -> None:
        """Look no more. Safe to call twice."""
        self._over.set()
        if self._thread:
            self._thread.join()
        if not self.depths:
            self.depths[0.0] = 0.0  # the database was never reached

    async def _watch(self, url: str) -> None:
        import asyncpg

        from bpdemo.downstream.address import connection_arguments
        from bpdemo.downstream.outages import is_outage

        try:
            connection = await asyncpg.connect(**connection_arguments(url))
            try:
                while not self._over.is_set():
                    depth = await connection.fetchval(DEPTH)
                    self.depths[self.now_s] = depth
                    self._looked.set()
                    await asyncio.sleep(EVERY_S)
            finally:
                await connection.close()
        except Exception as error:
            if not is_outage(error):  # its service was stopped before it
                raise


@forgiving
def watch_backlog(service: WithDatabase) -> BacklogWatch:
    """Begin to look; `stop` ends it, as does the end of the service."""
    return BacklogWatch(service.database_url)
