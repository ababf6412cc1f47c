"""What must hold after every fault, however bad it was: one place that says it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

import asyncpg
import psutil

from tests.support.server import assert_balanced
from tests.support.waiting import eventually

#: Refunds that are owed are tried again and again, with pauses and time limits that grow.
SETTLED_S = 20.0
#: Answers under way, connections that end, tasks that are cancelled.
QUIET_S = 10.0


class Footprint(NamedTuple):
    """What a service holds of its machine."""

    fds: int
    threads: int
    tasks: int
    children: int

    def is_within(self, before: "Footprint", more_fds: int = 0) -> bool:
        return (
            self.fds <= before.fds + more_fds
            and self.threads <= before.threads
            and self.tasks <= before.tasks
            and self.children <= before.children
        )


class Service(Protocol):
    """What can be looked at afterwards."""

    port: int
    before: Footprint
    more_fds: int

    @property
    def stats(self) -> dict[str, Any]: ...

    def stored_ids(self) -> Sequence[str]: ...

    def footprint(self) -> Footprint: ...

    def pid(self) -> int: ...


def assert_nothing_lost(service: Service, acknowledged: Sequence[str]) -> None:
    """Books exact, every promise kept once, the money right, and nothing left behind."""
    assert_at_rest(service)
    assert_orders_kept(service, acknowledged)
    assert_money_right(service)
    assert_nothing_left(service)


def assert_at_rest(service: Service) -> None:
    """Nobody is inside, and every caller is in the column where they ended."""
    quiet = {"waiting": 0, "queued": 0, "running": 0}

    def rests() -> bool:
        stats = service.stats
        return stats["in_flight"] == 0 and quiet.items() <= stats["books"].items()

    eventually(rests, "nobody is inside", within_s=QUIET_S)
    assert_balanced(service.stats["books"])


def assert_orders_kept(service: Service, acknowledged: Sequence[str]) -> None:
    """Every 201 is stored exactly once."""
    times = Counter(service.stored_ids())
    lost = [order for order in acknowledged if order not in times]
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged orders are lost"
    assert len(set(acknowledged)) == len(acknowledged), "two callers were promised one order"
    assert max(times.values(), default=1) == 1, "an order is stored twice"


def assert_money_right(service: Service) -> None:
    """What was charged and not given back is what was sold, once all that is owed is settled."""

    def kept() -> int:
        paid = service.stats["payments"]
        return int(paid["charged"] - paid["refunded"])

    eventually(
        lambda: kept() == len(service.stored_ids()),
        "charged less refunded is what is stored",
        within_s=SETTLED_S,
    )


def assert_nothing_left(service: Service) -> None:
    """No task, thread, process or descriptor more than before, no connection in any state."""
    eventually(
        lambda: not connections_at(service.pid(), service.port), "no connection", within_s=QUIET_S
    )

    def is_back() -> bool:
        return service.footprint().is_within(service.before, service.more_fds)

    with suppress(AssertionError):
        eventually(is_back, within_s=QUIET_S)
    assert is_back(), f"it held {service.before}, now {service.footprint()}"


def connections_at(pid: int, port: int) -> list[str]:
    """States of the process's TCP connections at that port of its own, open or half open."""
    return [
        connection.status
        for connection in psutil.Process(pid).net_connections("tcp")
        if connection.laddr and connection.laddr.port == port
        and connection.status in (psutil.CONN_ESTABLISHED, psutil.CONN_CLOSE_WAIT)
    ]  # fmt: skip


def stored_in(database_url: str) -> list[str]:
    """The ids of all orders in that database."""

    async def fetch() -> list[str]:
        connection = await asyncpg.connect(database_url)
        try:
            return [row["id"] for row in await connection.fetch("SELECT id FROM orders")]
        finally:
            await connection.close()

    return asyncio.run(fetch())
