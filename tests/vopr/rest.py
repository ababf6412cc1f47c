"""What is true of a service that has nothing left to do, whatever befell it."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.vopr.world import World

#: Attempts may be an hour apart, and many.
LONGEST_S = 3e6


async def come_to_rest(world: "World") -> None:
    """Wait until nothing goes on, for as long as that may take."""
    loop, step_s = world.loop, 0.5
    give_up_s = loop.time() + LONGEST_S
    while (busy := _going_on(world)) and loop.time() < give_up_s:
        await asyncio.sleep(step_s)
        step_s = min(step_s * 1.5, 3600.0)
    await asyncio.sleep(step_s)
    world.verdicts.expect(not busy, "it does not come to rest", sorted(map(str, busy))[:3])


def _going_on(world: "World") -> set["asyncio.Task[object]"]:
    tasks = asyncio.all_tasks() - {asyncio.current_task()} - world.anatomy.workers
    crew = world.crew
    if crew is None:
        return tasks
    if world.store.tickets or world.store.unsettled:
        return tasks
    return tasks - crew.tasks


def check(world: "World") -> None:
    if not world.cut_off:
        world.moments.still()
    _check_counts(world)
    _check_money(world)
    _check_stock(world)
    _check_promises(world)


def _check_counts(world: "World") -> None:
    expect, office = world.verdicts.expect, world.office
    for name, count in world.anatomy.at_rest().items():
        expect(not count or (world.cut_off and name == "owed"), f"not at rest: {name}", count)
    expect(not world.moments.running, "not at rest: at work", world.moments.running)
    books = office.intake.books
    for outcome, count in world.moments.settled.items():
        expect(count == getattr(books, outcome), "events and books differ", outcome)
    expect(world.moments.rejected == books.rejected, "events and books differ", "rejected")
    expect(all(c.status is not None for c in world.doorway.customers), "somebody has no answer")


def _check_money(world: "World") -> None:
    if world.cut_off:
        return
    expect, book = world.verdicts.expect, world.assembly.payment.book
    net, sales = book.charged - book.refunded, world.truth.sales
    expect(net == sales, "money and orders differ", f"{net} kept for {sales} orders")
    standing = Counter({order.id: 1 for order in world.sold_at_once()})
    expect(+world.truth.kept == standing, "not one charge for each order")


def _check_stock(world: "World") -> None:
    store, expect = world.store, world.verdicts.expect
    left = dict.fromkeys(store._stock, world.assembly.settings.initial_stock)
    for order in world.confirmed():
        left[order.item_id] -= order.quantity
    expect(left == store._stock, "stock and orders differ")
    expect(min(left.values()) >= 0, "more was sold than there was")
    keys = Counter(order.key for order in world.confirmed() if order.key)
    expect(max(keys.values(), default=0) <= 1, "two orders for one key", keys)
    for item_id in store._stock:
        world.expect_true_stock(item_id)


def _check_promises(world: "World") -> None:
    if world.crew is None or world.cut_off:
        return
    expect, store, ledger = world.verdicts.expect, world.store, world.crew.ledger
    for order_id in store.promised:
        order = store._orders[order_id]
        expect(order.status != "pending", "a promise is neither kept nor broken", order)
        is_sale = order.status == "confirmed"
        expect(ledger.keeps(order_id) == is_sale, "a promise and its money differ", order)
    net = ledger.book.charged - ledger.book.refunded
    expect(net == len(store.confirmed), "money and promises differ", net)
    expect(not store.unsettled, "a broken promise is not settled")
