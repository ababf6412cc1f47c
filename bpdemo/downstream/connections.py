"""The store's connections: asyncpg's pool behind a gate that knows its time.

asyncpg makes the connections, drops the dead and cancels statements on the server. The gate adds
what its pool leaves out: it tells "all are in use" from "none can be made", and a caller that is
cancelled leaves at once, while its connection is tidied up behind its back.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

from bpdemo.core.errors import DependencyError, PoolExhausted
from bpdemo.core.events import PoolWaited
from bpdemo.core.ports import Observer
from bpdemo.core.ranges import require_count, require_number
from bpdemo.downstream.address import connection_arguments
from bpdemo.downstream.outages import outages_told
from bpdemo.downstream.pooler import NOTHING_KEPT, LoneTransaction

if TYPE_CHECKING:  # generic for the type checker only
    from asyncpg.pool import Pool, PoolConnectionProxy

    Connection: TypeAlias = PoolConnectionProxy[asyncpg.Record]

CONNECT_S = 2.0
#: How long a cancelled statement may take to end; beyond that its connection is given up.
TIDY_S = 1.0
CLOSE_S = 1.5
#: The server's own timeout ends a statement; the driver's is for a server that says nothing.
DRIVER_SPARE_S = 0.1
#: A process that stops between two statements of a transaction keeps its locks, and all the others
#: waiting, for so long and no longer.
IDLE_IN_TRANSACTION_S = 1.0
NO_CONNECTION = "The database accepts no connections."


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPolicy:
    """`min_size` connections are made at the start, `max_size` at most, and kept.

    A caller waits `acquire_timeout_s` for one that is free; a statement may take
    `statement_timeout_s`. 0: no limit.
    """

    min_size: int
    max_size: int
    acquire_timeout_s: float
    statement_timeout_s: float

    def __post_init__(self) -> None:
        require_count("min_size", self.min_size)
        require_count("max_size", self.max_size, 1)
        if self.min_size > self.max_size:
            raise ValueError(f"from {self.min_size} to {self.max_size} is no size of a pool")
        require_number("acquire_timeout_s", self.acquire_timeout_s)
        require_number("statement_timeout_s", self.statement_timeout_s)


class Connections:
    """At most `max_size` connections to one database, lent one at a time."""

    def __init__(
        self, dsn: str, policy: PoolPolicy, observer: Observer, *, pooled: bool = False
    ) -> None:
        """`pooled`: a pooler stands between; each time lent is then a transaction (pooler.py)."""
        self._dsn = dsn
        self._policy = policy
        self._observer = observer
        self._pooled = pooled
        self._pool = _make_pool(_connection_settings(dsn, policy, pooled=pooled), policy.max_size)
        self._gate = asyncio.Semaphore(policy.max_size)
        self._connecting = 0
        self._tidying: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Make the first `min_size` connections. Raises what the driver raises."""
        await self._pool
        wanted = [self._pool.acquire() for _ in range(self._policy.min_size)]
        made = await asyncio.gather(*wanted, return_exceptions=True)
        for connection in made:
            if isinstance(connection, BaseException):
                self._pool.terminate()
                raise connection
            await self._pool.release(connection)

    async def close(self) -> None:
        """Close them all, by force after `CLOSE_S`."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._pool.close()
        except Exception:
            self._pool.terminate()
        await asyncio.gather(*self._tidying, return_exceptions=True)

    def retune(self, statement_timeout_s: float) -> None:
        """Give statements so long from now on.

        The limit belongs to a connection, so those that are there are replaced as they are asked
        for; what runs on them just now keeps the limit that it began with.
        """
        if statement_timeout_s == self._policy.statement_timeout_s:
            return
        self._policy = replace(self._policy, statement_timeout_s=statement_timeout_s)
        settings = _connection_settings(self._dsn, self._policy, pooled=self._pooled)
        self._pool.set_connect_args(**settings)
        self._tidy(self._pool.expire_connections())

    def counts(self) -> Mapping[str, int]:
        """Connections by state: idle and busy."""
        idle = self._pool.get_idle_size()
        return {"idle": idle, "busy": self._pool.get_size() - idle}

    @asynccontextmanager
    async def lend(self) -> "AsyncIterator[Connection]":
        """A connection for the length of the block.

        Raises `PoolExhausted` when none came free in time, `DependencyError` (and nothing was
        `asked`) when none can be made, and turns an outage inside the block into that, too.
        """
        connection = await self._acquire()
        try:
            if self._pooled:
                async with self._in_transaction(connection):
                    yield connection
            else:
                with outages_told():
                    yield connection
        finally:
            # Not awaited: a cancelled statement has yet to end on the server, and those who
            # cancelled it must not wait for that.
            self._tidy(self._take_back(connection))

    @asynccontextmanager
    async def _in_transaction(self, connection: "Connection") -> AsyncIterator[None]:
        whole = LoneTransaction(connection, _limits(self._policy))
        try:
            with outages_told():
                await whole.begin()
        except DependencyError as error:
            raise DependencyError(str(error), asked=False) from error
        try:
            with outages_told():
                yield
                await whole.commit()
        except Exception:
            with suppress(Exception):
                await whole.roll_back()
            raise
        # Cancelled: its caller has left and must not wait; the connection is given up behind it.

    def _tidy(self, chore: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(chore)
        self._tidying.add(task)
        task.add_done_callback(self._tidying.discard)

    async def _acquire(self) -> "Connection":
        clock = asyncio.get_running_loop().time
        started_s = clock()
        try:
            await self._pass_gate()
            connection = await self._connect()
        except BaseException:
            # The caller must hear why there is none, which is more than an observer's bug.
            with suppress(Exception):
                self._observer.observe(PoolWaited(clock() - started_s))
            raise
        try:
            self._observer.observe(PoolWaited(clock() - started_s))
        except BaseException:
            self._tidy(self._take_back(connection))  # or nobody would ever give it back
            raise
        return connection

    async def _connect(self) -> "Connection":
        """An idle connection, else a new one; the gate has seen to it that there is a place."""
        self._connecting += 1
        try:
            with outages_told():
                return await self._pool.acquire()
        except DependencyError as error:
            self._gate.release()
            raise DependencyError(str(error), asked=False) from error
        except BaseException:
            self._gate.release()
            raise
        finally:
            self._connecting -= 1

    async def _pass_gate(self) -> None:
        try:
            async with asyncio.timeout(self._policy.acquire_timeout_s or None):
                await self._gate.acquire()
        except TimeoutError:
            if self._connecting == self._policy.max_size:
                raise DependencyError(NO_CONNECTION, asked=False) from None
            raise PoolExhausted from None

    async def _take_back(self, connection: "Connection") -> None:
        try:
            if connection.is_in_transaction():  # cut short, even in its end
                connection.terminate()
            await self._pool.release(connection, timeout=TIDY_S)
        except Exception:
            pass  # asyncpg has closed it, and makes another when one is asked for
        finally:
            self._gate.release()


def _make_pool(settings: dict[str, Any], max_size: int) -> "Pool[asyncpg.Record]":
    return asyncpg.create_pool(
        # asyncpg's own floor reports each failed try with a traceback while the server is away.
        min_size=0,
        max_size=max_size,
        max_inactive_connection_lifetime=0,
        # Every call is one statement or one transaction, and leaves nothing behind: no reset, no
        # round trip.
        reset=_leave_as_is,
        **settings,
    )


def _connection_settings(dsn: str, policy: PoolPolicy, *, pooled: bool) -> dict[str, Any]:
    limit_s = policy.statement_timeout_s
    session = {"application_name": "bpdemo"}
    if not pooled:
        # Whatever the database's own default is: a second statement must see what came between.
        session |= _limits_of(policy) | {"default_transaction_isolation": "read committed"}
    return connection_arguments(dsn) | {
        "timeout": CONNECT_S,
        "command_timeout": limit_s + DRIVER_SPARE_S if limit_s else None,
        "server_settings": session,
        **(NOTHING_KEPT if pooled else {}),
    }


def _limits_of(policy: PoolPolicy) -> dict[str, str]:
    """In milliseconds; 0 is none."""
    limits_s = {
        "statement_timeout": policy.statement_timeout_s,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_S,
    }
    return {name: str(math.ceil(limit_s * 1000)) for name, limit_s in limits_s.items()}


def _limits(policy: PoolPolicy) -> str:
    return ";".join(f"SET LOCAL {name} = {limit}" for name, limit in _limits_of(policy).items())


async def _leave_as_is(_: object) -> None:
    pass
