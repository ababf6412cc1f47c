"""What every caller was told, against what stands in the end; and of each key, whether its story
is one that a single place to write an order down could have told."""

from collections import defaultdict
from math import ceil
from typing import TYPE_CHECKING

from bpdemo.core.model import Order
from tests.vopr.customer import CANCELLED, LEFT, PROMISED, Customer

if TYPE_CHECKING:
    from tests.vopr.world import World

EPS_S = 1e-6
MOST_RETRY_AFTER_S = 30
UNKNOWN_ITEM = 999


def judge(world: "World") -> None:
    by_key: dict[str, list[Customer]] = defaultdict(list)
    for one in world.doorway.customers:
        if one.key:
            by_key[one.key].append(one)
        if isinstance(one.status, int):
            _check_time(world, one)
            _check_advice(world, one)
            _check_answer(world, one)
    _check_what_stands(world)
    _check_counts(world)
    for key, callers in by_key.items():
        _check_key(world, key, callers)


def _check_time(world: "World", one: Customer) -> None:
    expect = world.verdicts.expect
    due_s = world.due_s(one.deadline_s) + EPS_S
    expect(one.answered_s <= due_s, "answered after the deadline", one.id)
    if one.reason == "deadline_exceeded":
        early = one.answered_s < one.deadline_s - EPS_S
        expect(not early, "told that time is over before it is", one.id)
    if one.reason == "draining" and one.was_admitted and not world.cut_off:
        ends_s = world.doorway.drain_ends_s
        expect(one.answered_s >= ends_s - EPS_S, "dropped in a drain that had time", one.id)


def _check_advice(world: "World", one: Customer) -> None:
    """A refusal says when to come back, and nothing else does."""
    if one.was_refused:
        most_s = MOST_RETRY_AFTER_S + ceil(world.longest_open_s)
        wise = one.retry_after is not None and 1 <= int(one.retry_after) <= most_s
    else:
        wise = one.retry_after is None
    world.verdicts.expect(wise, "a wrong Retry-After", f"{one.id} {one.status} {one.retry_after!r}")


def _check_answer(world: "World", one: Customer) -> None:
    expect, stands = world.verdicts.expect, world.store._orders
    if one.order is not None:
        order = stands.get(one.order.id)
        expect(one.order.asks_for(one.wanted), "told of another order than asked for", one.id)
        expect(order is not None, "an order that somebody was told of is gone", one.id)
        if one.is_sold and order:
            expect(order == one.order, "another order stands than was told", f"{order}")
            expect(order.key == one.key, "an order of another key", one.id)
    if one.reason == "sold_out":
        initial = world.assembly.settings.initial_stock
        scarce = world.truth.was_scarce(one.wanted.item_id, one.wanted.quantity, initial)
        expect(scarce, "told sold out, and it never was", one.id)


def _check_what_stands(world: "World") -> None:
    """A rejected request never leaves an order, and what the store answered is never taken back."""
    fail, makers = world.verdicts.fail, world.truth.maker
    told = defaultdict(list)
    for one in world.doorway.customers:
        if one.job is not None:
            told[one.job].append(one)
    confirmed = world.confirmed()
    for order in confirmed:
        job = makers.get(order.id)
        for one in told[job] if job is not None else ():
            if one.was_told_no:
                kind = "rejected, and the order stands"
                fail(kind, f"{one.id} {one.status} {one.reason} key={order.key}")
            elif one.reason == "outcome_unknown" and not order.key and not world.given_up:
                fail("of unknown outcome with no key, and it stands", one.id)
    standing = {order.id for order in confirmed}
    for order_id in world.truth.answered - standing:
        if world.store._orders.get(order_id) is None:
            fail("an order that the store had answered is gone", order_id)


def _check_counts(world: "World") -> None:
    nowhere = [one for one in world.doorway.customers if not one.was_admitted]
    refused = sum(one.was_refused for one in nowhere)
    # Of one who left unheard the simulation cannot say what the service told the empty chair.
    is_twin = world.script.kind == "twin"
    unheard = sum(one.status in (LEFT, CANCELLED) for one in nowhere) if is_twin else 0
    rejected = world.office.intake.books.rejected
    said = f"{refused} to {refused + unheard}, and {rejected} in the books"
    counted = refused <= rejected <= refused + unheard
    world.verdicts.expect(counted, "rejected, and not in the books", said)


def _check_key(world: "World", key: str, callers: list[Customer]) -> None:
    fail = world.verdicts.fail
    told = [one for one in callers if one.is_sold and one.order]  # the twin names no order
    ids = {one.order.id for one in told if one.order}
    if len(ids) > 1:
        fail("two orders told for one key", f"{key} {ids}")
    if sum(one.status == 201 for one in callers) > 1:
        fail("two were told 201 for one key", key)
    first = min(told, key=lambda one: one.answered_s, default=None)
    for one in callers:
        if one.reason == "invalid_request" and _is_readable(one):
            _check_dispute(world, one, callers)
        if first is not None and first.order and one.came_s > first.answered_s:
            _check_repeat(world, one, first.order)


def _check_dispute(world: "World", one: Customer, callers: list[Customer]) -> None:
    """Told 422: somebody must have sent another body with the key, before."""
    others = [o for o in callers if o.wanted != one.wanted and o.came_s <= one.answered_s]
    world.verdicts.expect(others, "422, and nobody sent another body", one.id)


def _check_repeat(world: "World", one: Customer, order: Order) -> None:
    """Came after an order of the key was told to somebody: the same body gets that order."""
    if not order.asks_for(one.wanted):
        world.verdicts.expect(not one.is_sold, "sold to another body of the key", one.id)
    elif one.reason == "sold_out" or one.status == PROMISED:
        world.verdicts.fail("a repeat does not get its order", f"{one.id} {one.reason}")
    elif one.reason == "invalid_request" and _is_readable(one):
        world.verdicts.fail("a repeat is told 422", one.id)


def _is_readable(one: Customer) -> bool:
    return not one.what["unreadable"] and one.wanted.item_id != UNKNOWN_ITEM
