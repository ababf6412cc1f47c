"""Each shop has a payment of its own, so that one may be served after another in one process."""

from __future__ import annotations

import asyncio

import pytest

from bpdemo.lab.lessons.shop.step_1 import Order
from bpdemo.lab.lessons.shop.unsized import unsized_shop


def answers_of(crowd: int) -> list[object]:
    """What a crowd of that size gets from a new shop in a loop of its own."""
    (route,) = (one for one in unsized_shop().routes if getattr(one, "path", "") == "/orders")
    wanted = Order(item_id=7)

    async def all_at_once() -> list[object]:
        orders = (route.endpoint(wanted) for _ in range(crowd))  # type: ignore[attr-defined]
        return await asyncio.gather(*orders, return_exceptions=True)

    return asyncio.run(all_at_once())


@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_crowd_waits_for_the_payment_in_any_loop(turn: str) -> None:
    """More orders than lines, in two loops one after the other: everyone is served."""
    assert answers_of(5) == [Order(item_id=7)] * 5, turn
