"""The bound of step 3 in pure ASGI: before routing, before the body is read."""

import asyncio
import random

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bpdemo.lab.lessons.shop.step_1 import app as shop


class Bounded:
    def __init__(self, app: ASGIApp, workers: int, queue: int) -> None:
        self._app = app
        self._places = workers + queue
        self._workers = asyncio.Semaphore(workers)
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/orders"):
            await self._app(scope, receive, send)
            return
        if self._inside >= self._places:
            retry_after = {"Retry-After": str(random.randint(1, 3))}
            refusal = JSONResponse({"reason": "queue_full"}, 503, retry_after)
            await refusal(scope, receive, send)
            return
        self._inside += 1
        try:
            async with self._workers:
                await self._app(scope, receive, send)
        finally:
            self._inside -= 1


app = Bounded(shop, workers=2, queue=4)
