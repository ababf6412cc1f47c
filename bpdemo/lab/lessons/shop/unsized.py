"""Lesson 09's shop with a payment of its own, for a lesson that serves it more than once in its own
process: the lines of the payment in `payment.py` belong to the loop that first waits for one.
"""

from __future__ import annotations

import asyncio

from fastapi import FastAPI

from bpdemo.core.slips import forgiving
from bpdemo.lab.lessons.shop.payment import LINES, SERVICE_S
from bpdemo.lab.lessons.shop.step_1 import Order


@forgiving
def unsized_shop() -> FastAPI:
    """A new shop that accepts everything, and waits for its payment in a line without a bound."""
    app, lines = FastAPI(), asyncio.Semaphore(LINES)

    @app.post("/orders", status_code=201)
    async def order(wanted: Order) -> Order:
        async with lines:
            await asyncio.sleep(SERVICE_S)
        return wanted

    return app
