"""The bound of step 3 as a dependency: one line in each route that shares it."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel

from bpdemo.lab.lessons.shop.payment import pay


class Admission:
    def __init__(self, workers: int, queue: int) -> None:
        self._places = workers + queue
        self._workers = asyncio.Semaphore(workers)
        self._inside = 0

    async def __call__(self) -> AsyncIterator[None]:
        if self._inside >= self._places:
            retry_after = {"Retry-After": str(random.randint(1, 3))}
            raise HTTPException(503, "queue_full", retry_after)
        self._inside += 1
        try:
            async with self._workers:
                yield
        finally:
            self._inside -= 1


app = FastAPI()
admitted = Admission(workers=2, queue=4)


class Order(BaseModel):
    item_id: int


@app.post("/orders", status_code=201)
async def order(wanted: Order, _: Annotated[None, Depends(admitted)]) -> Order:
    await pay()
    return wanted
