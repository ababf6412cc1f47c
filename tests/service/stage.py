"""A box office on a virtual-time loop, and customers who come to it as the HTTP edge brings them.

    async with opened(workers=1) as stage:
        anna = stage.comes(key="k")
        await settle()
        anna.hang_up()

`opened` drains at the end and holds the service to what must be true of any one at rest.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, TypeVar

from bpdemo.assembly.office import Assembly
from bpdemo.core.errors import BoxOfficeError, Refused
from bpdemo.core.events import Event
from bpdemo.core.model import Order, OrderRequest
from bpdemo.core.settings import Settings
from bpdemo.downstream.memory import MemoryStore
from bpdemo.service.books import Books
from bpdemo.service.box_office import BoxOffice
from bpdemo.service.intake import CallerLeft
from bpdemo.service.order_job import Caller

E = TypeVar("E", bound=Event)

#: More turns of the loop than anything here needs to come to rest.
TURNS = 30

#: One worker, a second for each order, two waiting places, no deadline: easy to calculate with.
PLAIN: Mapping[str, Any] = {
    "workers": 1,
    "queue_capacity": 2,
    "payment_latency_s": 1.0,
    "store_latency_s": 0.0,
    "request_timeout_s": 0.0,
    "attempt_timeout_s": 0.0,
    "retry_base_s": 0.0,
    "seed": 1,
}


def now() -> float:
    return asyncio.get_running_loop().time()


async def settle() -> None:
    """Let everything run that can run without time passing."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


class Customer:
    """One `POST /orders`. `fate` is 201, 200, 202 for a promise that is not kept yet, the reason of
    a no, or `left`; None meanwhile."""

    def __init__(
        self,
        stage: "Stage",
        wanted: OrderRequest,
        *,
        key: str | None,
        client_timeout_s: float | None,
        priority: int,
        body_s: float,
        durable: bool = False,
    ) -> None:
        self._durable = durable
        self._stage = stage
        self._wanted = wanted
        self._key = key
        self._body_s = body_s
        self.fate: int | str | None = None
        self.order: Order | None = None
        self.retry_after_s: int | None = None
        self.error: BaseException | None = None
        self.answered_s: float | None = None
        self.caller: Caller | None = None
        self.begun = False
        self.task: asyncio.Task[None] | None = None
        try:
            deadline = stage.office.deadline(now(), client_timeout_s)
            self.caller = stage.office.intake.receive(stage.next_id(), deadline, priority)
        except Refused as refused:
            self._hears(refused)
            return
        self.task = asyncio.get_running_loop().create_task(self._wait(self.caller))

    @property
    def told(self) -> tuple[Any, Any]:
        """What it heard, and when."""
        return self.fate, self.answered_s

    def hang_up(self) -> None:
        """Leave, wherever it is; does nothing afterwards."""
        assert self.caller is not None
        self._stage.office.intake.hang_up(self.caller)

    def cut_off(self) -> None:
        """The server gives the request up; does nothing before its first step."""
        if self.begun and self.task is not None:
            self.task.cancel()

    async def _wait(self, caller: Caller) -> None:
        intake = self._stage.office.intake
        self.begun = True
        try:
            if self._body_s:
                await asyncio.sleep(self._body_s)
            await intake.admit(caller, self._wanted, self._key, durable=self._durable)
            sale = await caller.answer
            self.fate = 201 if caller.first and not sale.replayed else 200
            if sale.order.status != "confirmed":
                self.fate = 202
            self.order = sale.order
        except CallerLeft:
            self.fate = "left"
        except asyncio.CancelledError:
            self.fate = "left"
            me = asyncio.current_task()
            if not caller.left or (me and me.cancelling()):
                raise
        except Exception as error:
            self._hears(error)
        finally:
            self.answered_s = now()
            intake.part(caller)

    def _hears(self, error: Exception) -> None:
        self.error = error
        self.fate = error.reason if isinstance(error, BoxOfficeError) else "internal_error"
        if isinstance(error, Refused):
            self.retry_after_s = self._stage.office.advice.retry_after_s(error)


class Stage:
    """The service and all who came. An observer too: it keeps events and checks the books."""

    def __init__(self, knobs: Mapping[str, Any]) -> None:
        self.events: list[Event] = []
        self.unbalanced = 0
        self.stalled_s = 0.0  # add to it: time passes, and the loop has not seen to its timers yet
        self.customers: list[Customer] = []
        self._ids = count(1)
        self.warned: list[str] = []
        self.assembly = Assembly(
            Settings(**knobs), clock=self.clock, observer=self, warn=self.warned.append
        )

    def clock(self) -> float:
        return now() + self.stalled_s

    @property
    def office(self) -> BoxOffice:
        return self.assembly.office

    @property
    def books(self) -> Books:
        return self.office.intake.books

    @property
    def stored(self) -> tuple[Order, ...]:
        store = self.assembly.bare_store
        assert isinstance(store, MemoryStore)
        return tuple(order for order in store.orders if order.status == "confirmed")

    @property
    def charged(self) -> int:
        return self.assembly.payment.book.charged

    @property
    def refunded(self) -> int:
        return self.assembly.payment.book.refunded

    def observe(self, event: Event, /) -> None:
        self.events.append(event)
        self.unbalanced += not self.books.balanced

    def heard(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def comes(
        self,
        item_id: int = 1,
        quantity: int = 1,
        *,
        key: str | None = None,
        client_timeout_s: float | None = None,
        priority: int = 1,
        body_s: float = 0.0,
        durable: bool = False,
    ) -> Customer:
        customer = Customer(
            self,
            OrderRequest(item_id, quantity),
            key=key,
            client_timeout_s=client_timeout_s,
            priority=priority,
            body_s=body_s,
            durable=durable,
        )
        self.customers.append(customer)
        return customer

    async def come(self, how_many: int, **how: Any) -> list[Customer]:
        """Several at one moment, in turn; each has its place or its no when this returns."""
        customers = []
        for _ in range(how_many):
            customers.append(self.comes(**how))
            await settle()
        return customers

    def turn(self, **knobs: Any) -> None:
        self.assembly.turn(knobs)

    def believes(self, service_s: float) -> None:
        """Set the pace that estimates rest on: wrong, as it is after a sudden change."""
        self.office.intake._pace.mean_s = service_s

    async def passes(self, seconds: float) -> None:
        """Let time pass, and everything happen that falls due."""
        await asyncio.sleep(seconds)
        await settle()

    def next_id(self) -> str:
        return f"r{next(self._ids)}"

    async def everybody_answered(self) -> None:
        tasks = [c.task for c in self.customers if c.task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)

    def column(self) -> dict[str, int]:
        """The books' columns that are not 0."""
        return {name: n for name in Books.__slots__ if (n := getattr(self.books, name))}

    def assert_at_rest(self) -> None:
        """What is true of every service that has nothing left to do, whatever befell it."""
        books = self.books
        assert self.unbalanced == 0, "the books did not balance at some event"
        assert books.balanced
        assert (books.waiting, books.queued, books.running) == (0, 0, 0)
        assert all(customer.fate is not None for customer in self.customers)
        assert self.charged - self.refunded == len(self.stored)
        keys = [order.key for order in self.stored if order.key]
        assert len(keys) == len(set(keys)), "one key was sold twice"
        stored_ids = {order.id for order in self.stored}
        for customer in self.customers:
            if customer.order is not None and customer.fate != 202:
                assert customer.order.id in stored_ids


@asynccontextmanager
async def opened(**knobs: Any) -> AsyncIterator[Stage]:
    """A service with the `PLAIN` settings and these; drained, stopped and judged at the end."""
    stage = Stage({**PLAIN, **knobs})
    await stage.office.start()
    yield stage
    await close(stage)


async def close(stage: Stage) -> None:
    await stage.office.drain(timeout_s=600.0)
    assert await stage.office.stop() == 0, "money is still owed"
    await stage.everybody_answered()
    await settle()
    stage.assert_at_rest()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"tasks outlived the service: {left}"
