"""What a caller was told, held against what stands at rest.

Each customer asks for an item of their own unless a key tells them apart, so every stored order has
one who asked for it. `assert_told_the_truth(stage, ledger)` is for a service at rest.
"""

from collections import Counter

from bpdemo.core.model import Order
from tests.service.stage import Customer, Stage
from tests.support.sabotage import Ledger

#: Answers that leave it open whether there is an order: 504 and 500 do, and no answer at all.
OPEN = {"deadline_exceeded", "outcome_unknown", "internal_error", "left", None}


def belongs_to(order: Order, customer: Customer) -> bool:
    if (order.item_id, order.quantity) != (customer._wanted.item_id, customer._wanted.quantity):
        return False
    return order.key == customer._key


def assert_told_the_truth(stage: Stage, ledger: Ledger) -> None:
    """Sold is stored, a no has left nothing, and who heard that it is unknown is not charged for
    what they cannot find."""
    standing = {order.id: order for order in stage.stored if order.status == "confirmed"}
    assert ledger.kept == {id: order.amount_cents for id, order in standing.items()}
    told = Counter[str]()
    for customer in stage.customers:
        if customer.order is not None and customer.fate != 202:
            told[customer.order.id] += customer._key is None
            assert customer.order.id in standing, "sold, and not stored"
            assert belongs_to(customer.order, customer)
    assert max(told.values(), default=0) <= 1, "one order was sold to two"
    for order in standing.values():
        asked = [c for c in stage.customers if belongs_to(order, c)]
        assert asked, "an order that nobody asked for"
        assert any(c.order is not None or c.fate in OPEN for c in asked), "rejected, and stored"
        if order.key is None:
            assert [c.fate for c in asked] != ["outcome_unknown"], "not taken back"
    left = Counter(dict.fromkeys(range(1, 101), stage.assembly.settings.initial_stock))
    for order in standing.values():
        left[order.item_id] -= order.quantity
    assert left == Counter(stage.assembly.bare_store._stock)  # type: ignore[attr-defined]
    for item_id, stock in left.items():
        item = stage.office._cache.peek(item_id)
        assert item is None or item.in_stock == (stock > 0), "the cache does not know its stock"
