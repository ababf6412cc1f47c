"""A service that exercise 08a lets you measure. Reading this file would spoil it."""

from __future__ import annotations

import asyncio
from typing import Any, Final

LANES: Final = 3
EACH_S: Final = 0.045
PLACES: Final = 6
CAPACITY_PER_S: Final = LANES / EACH_S


class UnknownShop:
    """`POST /orders` in plain ASGI: 201, or 503 when there is no place."""

    def __init__(self) -> None:
        self._lanes = asyncio.Semaphore(LANES)
        self._inside = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await _live(receive, send)
            return
        if self._inside >= LANES + PLACES:
            await _answer(send, 503, [(b"retry-after", b"1")])
            return
        self._inside += 1
        try:
            async with self._lanes:
                await asyncio.sleep(EACH_S)
        finally:
            self._inside -= 1
        await _answer(send, 201, [])


async def _live(receive: Any, send: Any) -> None:
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})


async def _answer(send: Any, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body"})


app: Final = UnknownShop()
