"""Lesson 06's hands on the database: is one here, make it slow, how long was the wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from html import escape
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bpdemo.core.kinds import wrong_kind
from bpdemo.core.members import forgiving_class
from bpdemo.core.slips import forgiving
from bpdemo.picture.palette import FONT, ORANGE

if TYPE_CHECKING:
    from bpdemo.lab.services.service import Service

T = TypeVar("T")

BANNER: Final = (
    "PostgreSQL does not start on this machine ({why}). The lesson goes on with a store in memory: "
    "{unseen} cannot be seen here."
)
UNSEEN: Final = "what it says of the pool and of the one hot row"

SLOW_TRIGGER: Final = """
CREATE OR REPLACE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END $$;
CREATE OR REPLACE TRIGGER audit BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION audit();
"""


@forgiving_class
class Database:
    """Whether there is a PostgreSQL; `store` goes into `serve`. Displayed, it says so."""

    def __init__(self, missing: str = "", unseen: str = UNSEEN) -> None:
        self.missing = missing
        self.unseen = unseen

    @property
    def store(self) -> str:
        return "memory" if self.missing else "embedded"

    @property
    def caveat(self) -> str:
        """How a title begins that only a real database would make true."""
        return "In memory, without a database: " if self.missing else ""

    def __bool__(self) -> bool:
        return not self.missing

    def __repr__(self) -> str:
        if not self.missing:
            return "A real PostgreSQL is here."
        return BANNER.format(why=self.missing, unseen=self.unseen)

    def _repr_html_(self) -> str:
        colour = f"border-left:8px solid {ORANGE};padding-left:1em;" if self.missing else ""
        return f"<div style='{colour}font:17px {FONT}'>{escape(repr(self))}</div>"


def find_database(unseen: str = UNSEEN) -> Database:
    """Start the PostgreSQL that comes with the package, once, and stop it again.

    `unseen` is what the lesson cannot show where there is none.
    """
    if not isinstance(unseen, str):
        raise TypeError(wrong_kind("unseen", "a text", unseen))
    from bpdemo.core.one_line import in_one_line
    from bpdemo.downstream.embedded import EmbeddedPostgres
    from bpdemo.load.progress_line import ProgressText

    async def start_and_stop() -> None:
        server = EmbeddedPostgres()
        try:
            await server.start()
        finally:
            await server.stop()

    try:
        with ProgressText() as progress:
            progress.show("PostgreSQL is started once, to see whether it does")
            run_apart(start_and_stop)
    except Exception as error:  # whatever stands in its way, the lesson goes on
        return Database(in_one_line(error), unseen)
    return Database()


@forgiving
def slow_updates(service: Service, seconds: float) -> None:
    """Let every update of an item take that long, its row locked and its connection in use.

    A trigger sleeps in the database, as one that writes an audit trail does. A store in memory is
    made slow as a whole.
    """
    if service.database_url is None:
        service.tune(store_latency_s=seconds)
        return
    url = service.database_url

    async def create() -> None:
        import asyncpg

        from bpdemo.downstream.address import connection_arguments

        connection = await asyncpg.connect(**connection_arguments(url))
        try:
            await connection.execute(SLOW_TRIGGER.format(seconds=float(seconds)))
        finally:
            await connection.close()

    run_apart(create)


@forgiving
def pool_wait_ms(service: Service) -> float:
    """Mean wait for a connection since the service began, in ms; 0 where there is no pool."""
    figures = service.metrics().set_index("name")["value"]
    waits = figures.get("bpdemo_pool_wait_seconds_count", 0.0)
    total_s = figures.get("bpdemo_pool_wait_seconds_sum", 0.0)
    return float(1000 * total_s / waits) if waits else 0.0


def run_apart(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """In a thread of its own: a notebook's has a loop that runs already."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()
