"""What the service needs from the world, as narrow protocols, and the do-nothing ones."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from bpdemo.core.events import Event
from bpdemo.core.model import Item, Order, PaymentBook, Placed


class Store(Protocol):
    """Where items and orders live.

    Any method may raise `DependencyError` (worth another try) or `PoolExhausted`.
    All are safe to repeat, and safe to cancel: what was cancelled, or raised `DependencyError`, has
    either happened or not, and `void` settles which (not, where the error says it was not `asked`).
    """

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def list_items(self, limit: int, after: int) -> Sequence[Item]:
        """Up to `limit` items with ids above `after`, in order of id."""
        ...

    async def find_item(self, item_id: int) -> Item | None: ...

    async def find_order(self, order_id: str) -> Order | None: ...

    async def find_order_by_key(self, key: str) -> Order | None: ...

    async def place(self, order: Order) -> Placed:
        """Take the stock and store the order, both or neither.

        Repeating it with the same id changes nothing and answers the same. When another order
        holds the same key, that one is returned and nothing is taken. Raises `SoldOut`, and
        `DependencyError` when the id was voided before.
        """
        ...

    async def void(self, order_id: str) -> Order | None:
        """The stored order if `place` succeeded; else bar it for ever and return None.

        The way to learn what became of a `place`, or of a promise, whose answer was lost. It waits
        for one that is still going on.
        """
        ...

    async def take_back(self, order_id: str) -> None:
        """Undo a sale that nobody was told of, stock and all; bar the id for ever either way.

        It waits for a `place` that is still going on. What was only promised is left as it is.
        """
        ...


class Backlog(Protocol):
    """Orders that were promised and wait, where they outlive every process, for a durable worker.

    Raises as `Store` does; all is safe to repeat and safe to cancel. An order is `pending` until
    one of `confirm` and `fail` has had its way; they exclude one another, no matter who calls them.
    """

    async def accept(self, order: Order, capacity: int) -> Order:
        """Promise the order: it is stored as `pending` and stands in the queue, both or neither.

        When another order holds the same key, that one is returned and nothing is promised.
        Raises `QueueFull` when `capacity` orders are promised already and not settled yet, and
        `DependencyError` when the id was voided before.
        """
        ...

    async def confirm(self, order_id: str) -> Placed | None:
        """Take the stock and make the order a sale, both or neither.

        Answers with the order as it stands: `failed` if that came first. None: there is no such
        order. Raises `SoldOut`, and then it is pending still.
        """
        ...

    async def count_try(self, order_id: str) -> int:
        """One more try to sell it was made in earnest, and failed: how many that makes.

        The one call here that counts again when it is repeated.
        """
        ...

    async def fail(self, order_id: str, reason: str) -> Order | None:
        """No sale; the key is free again. Answers with the order as it stands."""
        ...

    async def settle(self, order_id: str) -> None:
        """Nothing is owed any more for an order that failed: its money is back."""
        ...

    async def depth(self) -> int:
        """Orders promised and not settled yet."""
        ...

    async def requeue_lost(self) -> int:
        """Put orders that are not settled, yet not in the queue, there again; tell how many.

        What the queue itself remembers of jobs an hour ago is forgotten on the way.
        """
        ...


class Payment(Protocol):
    """Takes and returns money; both are idempotent under `key`."""

    @property
    def book(self) -> PaymentBook: ...

    async def charge(self, key: str, amount_cents: int) -> None:
        """Charge once per key. Raises `DependencyError`: then it may or may not have charged."""
        ...

    def settle(self, key: str) -> None:
        """The sale stands: no refund of `key` will ever be asked, so it may be forgotten."""
        ...

    async def refund(self, key: str) -> None:
        """Give back what was charged under `key`; bars a key that never was. Raises alike."""
        ...


class Observer(Protocol):
    """Hears what happens. Must not raise, must not block."""

    def observe(self, event: Event, /) -> None: ...


class Tracer(Protocol):
    """Draws spans in whatever trace is current."""

    def span(self, name: str, /, **attributes: str | int | float) -> AbstractContextManager[object]:
        """A span around the `with` block; an exception that leaves it marks it as failed."""
        ...

    def client_span(
        self, name: str, /, **attributes: str | int | float
    ) -> AbstractContextManager[object]:
        """The same around a call of something else."""
        ...

    def note(self, **attributes: str | int | float) -> None:
        """Tell the span that is current."""
        ...

    def record(
        self, name: str, start_s: float, end_s: float, /, **attributes: str | int | float
    ) -> None:
        """A span that is over; both times are of the service's clock."""
        ...


class SilentObserver:
    """Hears nothing."""

    def observe(self, event: Event, /) -> None:
        pass


def hears(observer: Observer) -> bool:
    """Whether it is worth while to make an event for that observer: half a microsecond each."""
    return type(observer) is not SilentObserver


class NullTracer:
    """Draws nothing."""

    _nothing = nullcontext()

    def span(self, name: str, /, **attributes: str | int | float) -> AbstractContextManager[object]:
        return self._nothing

    client_span = span

    def note(self, **attributes: str | int | float) -> None:
        pass

    def record(
        self, name: str, start_s: float, end_s: float, /, **attributes: str | int | float
    ) -> None:
        pass
