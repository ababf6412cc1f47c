"""PgQueuer's end of a durable worker: takes jobs, keeps its hold on them, gives back the rest.

PgQueuer deletes a job whose task is cancelled. So nothing here ever is, as long as it can say so to
the database: a worker that has had enough stops taking, and what it cannot finish it abandons, with
its connection cut first. That falls to others when its heartbeat ends.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import NoReturn

import asyncpg
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job

from bpdemo.downstream import durable_sql
from bpdemo.downstream.address import connection_arguments
from bpdemo.downstream.connections import CONNECT_S
from bpdemo.downstream.outages import is_outage, startup_told
from bpdemo.downstream.pgqueuer_tables import ENTRYPOINT, NAMES, queries_on

#: A job belongs to anyone who asks next when its worker has not been heard of for so long.
HEARTBEAT_S = 5.0
#: New jobs are announced; the abandoned are found by looking, and this often.
POLL_S = 1.0
#: A statement that takes longer is a database that is away.
STATEMENT_S = 5.0
RECONNECT_S = 1.0
#: Jobs held for each that is worked on, so that none of the places waits for PgQueuer's rounds.
HELD = 4

#: Works on the order with that id, given back so many times before, and promised so many seconds
#: ago. None: done; else the seconds after which it shall be tried again.
Handle = Callable[[str, int, float], Awaitable[float | None]]


class Consumer:
    """Hands the orders of the queue to `handle`, at most `at_once` at a time."""

    def __init__(
        self, dsn: str, at_once: int, handle: Handle, on_outage: Callable[[Exception], None]
    ) -> None:
        self._dsn = dsn
        self._at_once = at_once
        self._handle = handle
        self._on_outage = on_outage
        self._places = asyncio.Semaphore(at_once)
        self._stopping = asyncio.Event()
        self._manager: QueueManager | None = None
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Work until stopped; begin anew when the database is back. Do not cancel it before `cut`.

        `on_ready` is called once, with the first connection. Raises `SettingsInvalid` if none can
        be made.
        """
        with startup_told():
            await self._connected()
        on_ready()
        while not self._stopping.is_set():
            try:
                await self._consume(await self._connected())
            except Exception as error:
                if not is_outage(error):
                    raise
                self._on_outage(error)
                with suppress(TimeoutError):
                    async with asyncio.timeout(RECONNECT_S):
                        await self._stopping.wait()
            finally:
                self.cut()

    def stop(self) -> None:
        """Take no more; what was not begun goes back to the queue, `run` ends with the rest."""
        self._stopping.set()
        if self._manager:
            self._manager.shutdown.set()

    def cut(self) -> None:
        """Say nothing more to the queue. Only after this may `run` be cancelled: PgQueuer will take
        its jobs for done, and can tell nobody."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connection is None:
            self._connection = await self._connect()
        return self._connection

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            **connection_arguments(self._dsn),
            timeout=CONNECT_S,
            command_timeout=STATEMENT_S,
            server_settings={"application_name": "bpdemo worker"},
        )
        return connection

    async def _consume(self, connection: object) -> None:
        self._manager = manager = QueueManager(queries_on(connection), channel=NAMES.channel)
        manager.entrypoint(ENTRYPOINT)(self._work)
        if self._stopping.is_set():
            return
        await manager.run(
            dequeue_timeout=timedelta(seconds=POLL_S),
            batch_size=self._at_once,
            max_concurrent_tasks=HELD * self._at_once,
            heartbeat_timeout=timedelta(seconds=HEARTBEAT_S),
            log_aggregation_interval=timedelta(0),  # nobody reads its statistics
        )

    async def _work(self, job: Job) -> None:
        assert job.payload is not None, "anyone who put it there gave it the order's id"
        async with self._places:
            if self._stopping.is_set():
                await self._give_back(job)
            # Both times are the database's own: it set the latter when it handed out the job.
            age_s = (job.heartbeat - job.created).total_seconds()
            after_s = await self._handle(job.payload.decode(), job.attempts, age_s)
        if after_s is not None:
            raise RetryRequested(delay=timedelta(seconds=after_s))

    async def _give_back(self, job: Job) -> NoReturn:
        """As if it had never been taken. Raises what tells PgQueuer so."""
        assert self._manager is not None, "it has called us"
        with suppress(Exception):  # or it waits longer the next time
            await self._manager.queries.driver.execute(durable_sql.NOT_TRIED, job.id)
        raise RetryRequested(reason="the worker stops")
