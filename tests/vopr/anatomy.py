"""Where the service keeps what no public name tells. Nothing else here knows its private parts."""

from typing import Any

from bpdemo.core.model import Item, PaymentBook
from bpdemo.flow.guard import Guard
from bpdemo.service.box_office import BoxOffice
from bpdemo.service.intake import LOOKS_AT_ONCE


class Anatomy:
    """Reads one box office from within."""

    def __init__(self, office: BoxOffice) -> None:
        self.office = office
        self.queue: Any = office._queue
        self.pool: Any = office._pool
        self.debts: Any = office._debts
        self.cache: Any = office._cache
        self.work: Any = office.intake._work
        self.acceptance: Any = office._acceptance
        self.guards: dict[str, Guard] = {
            "payment": office._payment_guard,
            "store": office._store_guard,
        }
        self._taken_off: list[Any] = []
        self._watch_loads()

    @property
    def flights(self) -> list[Any]:
        """The cache's loads that are going on, forgotten by it or not."""
        self._taken_off = [flight for flight in self._taken_off if not flight.task.done()]
        return self._taken_off

    def _watch_loads(self) -> None:
        real = self.cache._take_off

        def take_off(*args: Any) -> Any:
            flight = real(*args)
            self._taken_off.append(flight)
            return flight

        self.cache._take_off = take_off

    @property
    def granted(self) -> int:
        """Places given to waiters that have not woken up to fill them."""
        return int(self.queue._granted)

    @property
    def inside(self) -> int:
        return self.office.queue_depth + self.office.workers_busy + self.granted

    @property
    def idle(self) -> int:
        """Workers with nothing to do, and nobody on the way to them."""
        return self.office.workers - self.inside

    @property
    def is_full(self) -> bool:
        capacity = self.office.queue_capacity
        return capacity >= 0 and self.inside >= self.office.workers + capacity

    @property
    def looks_are_full(self) -> bool:
        """Whether as many as may already look for an order beside another body of its key."""
        return int(self.office.intake._looking) >= LOOKS_AT_ONCE

    @property
    def book(self) -> PaymentBook:
        return self.office._payment.book

    @property
    def workers(self) -> set[Any]:
        return set(self.pool._workers)

    @property
    def owed(self) -> int:
        return int(self.debts.owed)

    def known_of(self, item_id: int) -> Item | None:
        """What the cache would answer, without asking it."""
        entry = self.cache._entries.get(item_id)
        return entry.value if entry and self.cache._is_fresh(entry) else None

    def longest_work_s(self) -> float:
        return self.office._longest_work_s()

    def at_rest(self) -> dict[str, int]:
        """What must all be 0 when nothing is going on."""
        office, books = self.office, self.office.intake.books
        intake: Any = office.intake
        gate: Any = office.gate
        return {
            "waiting": books.waiting,
            "queued": books.queued,
            "running": books.running,
            "depth": office.queue_depth,
            "busy": office.workers_busy,
            "in flight": office.in_flight,
            "waiters": self.queue.waiting,
            "granted": self.granted,
            "owed": self.owed,
            "keys": len(intake._keyed),
            "jobs": intake._in_flight,
            "not quiet": int(not intake.quiet.is_set()),
            "clients with a share": len(gate._share._in_flight),
            "loads": len(self.cache._flights),
        }
