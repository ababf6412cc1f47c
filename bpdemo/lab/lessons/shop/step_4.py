"""Step 4: a deadline over wait and work, and no work for those who have hung up."""

import asyncio
import random
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException, Request
from pydantic import BaseModel

from bpdemo.lab.lessons.shop.payment import pay

WORKERS = 2
QUEUE = 4

app = FastAPI()
workers = asyncio.Semaphore(WORKERS)
inside = 0


class Order(BaseModel):
    item_id: int


async def end_at_hang_up(request: Request, deadline: asyncio.Timeout) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    if not deadline.expired():
        deadline.reschedule(0)  # nobody waits any longer: the time is up now


@app.post("/orders", status_code=201)
async def order(
    wanted: Order,
    request: Request,
    x_request_timeout_ms: Annotated[int, Header(ge=1)] = 500,
) -> Order:
    global inside
    if inside >= WORKERS + QUEUE:
        raise HTTPException(503, "queue_full", {"Retry-After": str(random.randint(1, 3))})
    inside += 1
    try:
        async with asyncio.timeout(x_request_timeout_ms / 1000) as deadline:
            watch = asyncio.create_task(end_at_hang_up(request, deadline))
            try:
                async with workers:
                    await pay()
            finally:
                watch.cancel()
    except TimeoutError:
        raise HTTPException(504, "deadline_exceeded") from None
    finally:
        inside -= 1
    return wanted
