"""Orders to place."""

from datetime import UTC, datetime
from itertools import count

from bpdemo.core.model import Order

_numbers = count(1)
PRICE_CENTS = 4500


def an_order(
    item_id: int = 1, quantity: int = 1, key: str | None = None, id: str | None = None
) -> Order:
    """A new order, under an id of its own unless one is given."""
    return Order(
        id=id or f"order-{next(_numbers)}",
        item_id=item_id,
        quantity=quantity,
        amount_cents=PRICE_CENTS * quantity,
        created_at=datetime(2026, 5, 1, 10, 0, 0, 123456, tzinfo=UTC),
        key=key,
    )
