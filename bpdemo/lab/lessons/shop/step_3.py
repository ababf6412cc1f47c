"""Step 3: a bound. Beyond it an order is rejected at once, with a time to come back."""

import asyncio
import random

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from bpdemo.lab.lessons.shop.payment import pay

WORKERS = 2
QUEUE = 4

app = FastAPI()
workers = asyncio.Semaphore(WORKERS)
inside = 0


class Order(BaseModel):
    item_id: int


@app.post("/orders", status_code=201)
async def order(wanted: Order) -> Order:
    global inside
    if inside >= WORKERS + QUEUE:
        raise HTTPException(503, "queue_full", {"Retry-After": str(random.randint(1, 3))})
    inside += 1
    try:
        async with workers:
            await pay()
    finally:
        inside -= 1
    return wanted
