"""Promised orders in memory: the promise beside the orders, its turn in a queue with leases.

It answers as the backlog in PostgreSQL does: a promise stands under its id and its key as a sale
does, so anyone who asks for either finds it. All of it is atomic, since nothing here awaits.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from bpdemo.core.errors import DependencyError, QueueFull, SoldOut
from bpdemo.core.model import Order, Placed
from bpdemo.downstream.memory import MemoryStore


@dataclass(eq=False)
class Ticket:
    """One promise's turn. A worker that takes it holds a lease, and renews it."""

    order_id: str
    due_s: float
    since_s: float
    given_back: int = 0
    leased_until_s: float = 0.0
    holder: object = None


class PromisingStore(MemoryStore):
    """A memory store that is a backlog too, and the queue of its workers."""

    def __init__(self, initial_stock: int, clock: Callable[[], float]) -> None:
        super().__init__(initial_stock)
        self.unsettled: set[str] = set()
        self.promised: dict[str, Order] = {}  # as it was accepted, by id; never forgotten
        self.tickets: dict[str, Ticket] = {}
        self.confirmed: set[str] = set()
        self.tries: Counter[str] = Counter()  # in which somebody was asked, as workers tell
        self.changed = asyncio.Event()  # a worker that has nothing to do waits for it
        self._clock = clock

    @property
    def sales(self) -> int:
        """How many orders were sold at once and stand."""
        return len(self._orders) - len(self.promised)

    async def accept(self, order: Order, capacity: int) -> Order:
        if order.id in self._voided:
            raise DependencyError("The order was voided before.")
        standing = self._standing_for(order)
        if standing is not None:
            return standing
        if len(self.unsettled) >= capacity:
            raise QueueFull
        self._orders[order.id] = pending = order._replace(status="pending")
        self.promised[order.id] = pending
        if order.key is not None:
            self._id_by_key[order.key] = order.id
        self.unsettled.add(order.id)
        self._queue(order.id)
        return pending

    async def confirm(self, order_id: str) -> Placed | None:
        order = self._orders.get(order_id)
        if order is None:
            return None
        if order.status == "pending":
            left = self._stock[order.item_id] - order.quantity
            if left < 0:
                raise SoldOut
            self._stock[order.item_id] = left
            order = self._orders[order_id] = order._replace(status="confirmed")
            self.unsettled.discard(order_id)
            self.confirmed.add(order_id)
        return Placed(order, self._stock[order.item_id])

    async def count_try(self, order_id: str) -> int:
        self.tries[order_id] += 1
        return self.tries[order_id]

    async def fail(self, order_id: str, reason: str) -> Order | None:
        order = self._orders.get(order_id)
        if order is not None and order.status == "pending":
            if order.key is not None:
                del self._id_by_key[order.key]
            order = order._replace(status="failed", reason=reason, key=None)
            self._orders[order_id] = order
        return order

    async def settle(self, order_id: str) -> None:
        order = self._orders.get(order_id)
        if order is not None and order.status == "failed":
            self.unsettled.discard(order_id)

    async def depth(self) -> int:
        return len(self.unsettled)

    async def requeue_lost(self) -> int:
        lost = sorted(self.unsettled - self.tickets.keys())
        for order_id in lost:
            self._queue(order_id)
        return len(lost)

    # -------- the queue

    def _queue(self, order_id: str) -> None:
        self.tickets[order_id] = Ticket(order_id, due_s=self._clock(), since_s=self._clock())
        self.changed.set()

    def take(self, holder: object, lease_s: float) -> Ticket | None:
        """One that is due, and whose lease is nobody's or has run out; the longest due first."""
        now = self._clock()
        free = [t for t in self.tickets.values() if max(t.due_s, t.leased_until_s) <= now]
        if not free:
            return None
        ticket = min(free, key=lambda ticket: ticket.due_s)
        ticket.holder, ticket.leased_until_s = holder, now + lease_s
        return ticket

    def next_due_in_s(self) -> float:
        """When there will be something to take, unless more comes."""
        dues = [max(t.due_s, t.leased_until_s) for t in self.tickets.values()]
        return max(0.0, min(dues, default=inf) - self._clock())

    def renew(self, holder: object, lease_s: float) -> None:
        for ticket in self.tickets.values():
            if ticket.holder is holder:
                ticket.leased_until_s = self._clock() + lease_s

    def done(self, ticket: Ticket, holder: object, again_in_s: float | None) -> None:
        """It is over, or to be tried again. Does nothing where another has the lease by now."""
        if ticket.holder is not holder or self.tickets.get(ticket.order_id) is not ticket:
            return
        if again_in_s is None:
            del self.tickets[ticket.order_id]
            return
        ticket.holder, ticket.leased_until_s = None, 0.0
        ticket.due_s, ticket.given_back = self._clock() + again_in_s, ticket.given_back + 1
        self.changed.set()
