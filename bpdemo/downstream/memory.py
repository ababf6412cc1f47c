"""A store that lives and dies with the process: the demo mode, and the one for virtual time."""

from collections.abc import Sequence

from bpdemo.core.errors import DependencyError, SoldOut
from bpdemo.core.model import Item, Order, Placed
from bpdemo.downstream.catalogue import CATALOGUE, CatalogueEntry


class MemoryStore:
    """Holds a fresh catalogue with `initial_stock` of each item; costs no time at all.

    No method awaits anything, so each is atomic on its loop and none can be cancelled half-way.
    """

    def __init__(self, initial_stock: int) -> None:
        self._entries = {entry.id: entry for entry in CATALOGUE}
        self._stock = dict.fromkeys(self._entries, initial_stock)
        self._orders: dict[str, Order] = {}
        self._id_by_key: dict[str, str] = {}
        self._voided: set[str] = set()

    @property
    def orders(self) -> Sequence[Order]:
        """Every stored order, oldest first."""
        return tuple(self._orders.values())

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def list_items(self, limit: int, after: int) -> Sequence[Item]:
        # Ids run from 1 without a gap, so the one after `after` stands at that index.
        return [self._item(entry) for entry in CATALOGUE[after : after + limit]]

    async def find_item(self, item_id: int) -> Item | None:
        entry = self._entries.get(item_id)
        return None if entry is None else self._item(entry)

    async def find_order(self, order_id: str) -> Order | None:
        return self._orders.get(order_id)

    async def find_order_by_key(self, key: str) -> Order | None:
        return self._orders.get(self._id_by_key.get(key, ""))

    async def place(self, order: Order) -> Placed:
        if order.id in self._voided:
            raise DependencyError("The order was voided before.")
        standing = self._standing_for(order)
        if standing is None:
            self._sell(order)
            standing = order
        return Placed(standing, self._stock[standing.item_id])

    async def void(self, order_id: str) -> Order | None:
        order = self._orders.get(order_id)
        if order is None:
            self._voided.add(order_id)
        return order

    async def take_back(self, order_id: str) -> None:
        order = self._orders.get(order_id)
        if order is not None and order.status != "confirmed":
            return
        self._voided.add(order_id)
        if order is not None:
            del self._orders[order_id]
            self._stock[order.item_id] += order.quantity
            if order.key is not None:
                del self._id_by_key[order.key]

    def _item(self, entry: CatalogueEntry) -> Item:
        return Item(*entry, in_stock=self._stock[entry.id] > 0)

    def _standing_for(self, order: Order) -> Order | None:
        """The order that `order` repeats: by its id, else by its key."""
        same_id = self._orders.get(order.id)
        if same_id is not None or order.key is None:
            return same_id
        return self._orders.get(self._id_by_key.get(order.key, ""))

    def _sell(self, order: Order) -> None:
        left = self._stock.get(order.item_id, 0) - order.quantity
        if left < 0:
            raise SoldOut
        self._stock[order.item_id] = left
        self._orders[order.id] = order
        if order.key is not None:
            self._id_by_key[order.key] = order.id
