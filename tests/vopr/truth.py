"""What really happened in store and payment, noted where it happens, behind every fault."""

from collections import Counter
from contextvars import ContextVar
from typing import Any

from bpdemo.core.model import Order, Placed
from bpdemo.service.order_job import OrderJob

#: The job that the code which runs just now works for, if any.
JOB: ContextVar[OrderJob | None] = ContextVar("job", default=None)


class Truth:
    """Keeps who made which order, what money is kept for, and the least stock there ever was."""

    def __init__(self, store: Any, provider: Any) -> None:
        self.maker: dict[str, OrderJob | None] = {}
        self.made: dict[str, Order] = {}  # everything that was ever stored, by id
        self.answered: set[str] = set()  # stored, and the service heard so
        self.kept: Counter[str] = Counter()  # charged and not given back, by key
        self.least: dict[int, int] = {}
        self.last_sold_by: dict[int, str] = {}  # whose order took an item's last ticket
        self._store = store
        self._watch_place(store)
        if hasattr(store, "confirm"):
            self._watch_promises(store)
        self._watch_money(provider)

    @property
    def sales(self) -> int:
        """Orders that stand and were not promised first."""
        sales = getattr(self._store, "sales", None)
        return len(self._store._orders) if sales is None else sales

    def note_answers(self, store: Any) -> None:
        """Hear, in front of all faults, which `place` was answered."""
        place = store.place

        async def heard(order: Order) -> Placed:
            placed: Placed = await place(order)
            self.answered.add(placed.order.id)
            return placed

        store.place = heard

    def note_made(self, order: Order, stock_left: int | None = None) -> None:
        self.maker.setdefault(order.id, JOB.get())
        self.made[order.id] = order
        if stock_left is not None:
            self.note_stock(order.item_id, stock_left)
            if stock_left <= 0:
                self.last_sold_by[order.item_id] = order.id

    def note_stock(self, item_id: int, left: int) -> None:
        self.least[item_id] = min(left, self.least.get(item_id, left))

    def was_scarce(self, item_id: int, quantity: int, initial: int) -> bool:
        """Whether there was a moment at which not so many were left."""
        return self.least.get(item_id, initial) < quantity

    def _watch_place(self, store: Any) -> None:
        place = store.place

        async def placed(order: Order) -> Placed:
            result: Placed = await place(order)
            if result.order.id == order.id and order.id not in self.made:
                self.note_made(order, result.stock_left)
            return result

        store.place = placed

    def _watch_promises(self, store: Any) -> None:
        accept, confirm = store.accept, store.confirm

        async def accepted(order: Order, capacity: int) -> Order:
            standing: Order = await accept(order, capacity)
            if standing.id == order.id:
                self.note_made(order)
            return standing

        async def confirmed(order_id: str) -> Placed | None:
            placed: Placed | None = await confirm(order_id)
            if placed is not None and placed.order.status == "confirmed":
                self.note_stock(placed.order.item_id, placed.stock_left)
            return placed

        store.accept, store.confirm = accepted, confirmed

    def _watch_money(self, provider: Any) -> None:
        def watched(move: Any) -> Any:
            def moved(key: str) -> Any:
                book = provider.book
                before = book.charged - book.refunded
                result = move(key)
                self.kept[key] += book.charged - book.refunded - before
                return result

            return moved

        provider._take, provider._give_back = watched(provider._take), watched(provider._give_back)
