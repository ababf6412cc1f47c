"""What the box office sells, and what a customer holds afterwards."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bpdemo.core.choices import OrderStatus


class Item(NamedTuple):
    """One kind of ticket. `in_stock` is all the catalogue tells; counts stay in the store."""

    id: int
    name: str
    price_cents: int
    in_stock: bool


class Order(NamedTuple):
    """A stored sale, or one that was promised: `pending` until a durable worker has come to it.

    `key` is the caller's Idempotency-Key; it never leaves the service. `reason` tells why an order
    failed.
    """

    id: str
    item_id: int
    quantity: int
    amount_cents: int
    created_at: datetime
    key: str | None = None
    status: OrderStatus = "confirmed"
    reason: str | None = None

    def asks_for(self, wanted: "OrderRequest") -> bool:
        """Whether a repeat under the same key asks for what this order is for."""
        return (self.item_id, self.quantity) == (wanted.item_id, wanted.quantity)


class OrderRequest(NamedTuple):
    """What the body of `POST /orders` says."""

    item_id: int
    quantity: int


class Placed(NamedTuple):
    """A store's answer to `place`: the order that now stands, and what is left of its item.

    The order is somebody else's when another process stored the same key first: compare ids.
    """

    order: Order
    stock_left: int


@dataclass(slots=True)
class PaymentBook:
    """What has been charged and refunded since the payment began, in payments."""

    charged: int = 0
    refunded: int = 0
