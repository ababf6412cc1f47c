"""The shop of 07d: its crowd fills the queue however slowly a busy machine sends it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from bpdemo.lab.exercises.judges.small_shop import CAPACITY, WORKERS, Shop
from bpdemo.sim import virtual_time

CROWD = 24


async def _asked(shop: Shop, path: str) -> int:
    """The status of one answer."""
    told: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    await shop({"type": "http", "path": path}, None, send)
    return int(told[0]["status"])


async def _open(shop: Shop) -> Callable[[], Awaitable[None]]:
    """The shop's lifespan has begun; what is returned ends it."""
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    begun = asyncio.Event()

    async def send(_: object) -> None:
        begun.set()

    life = asyncio.ensure_future(shop({"type": "lifespan"}, messages.get, send))
    messages.put_nowait({"type": "lifespan.startup"})
    await begun.wait()

    async def close() -> None:
        messages.put_nowait({"type": "lifespan.shutdown"})
        await life

    return close


@pytest.mark.parametrize("every_s", [0.0, 0.02, 1.0], ids=["at once", "slowly", "very slowly"])
def test_a_crowd_fills_the_queue_at_any_pace(every_s: float) -> None:
    """What has no place is rejected, each time as many; after a scrape the others are served."""

    async def play() -> None:
        shop = Shop(lambda *_: None, CollectorRegistry())
        close = await _open(shop)
        for burst in (1, 2):
            await _asked(shop, "/metrics")
            shop.holds_until = burst * CROWD
            callers = []
            for _ in range(CROWD):
                callers.append(asyncio.ensure_future(_asked(shop, "/orders")))
                await asyncio.sleep(every_s)
            await _asked(shop, "/metrics")
            seen = shop.truths[-1]
            places = CAPACITY + WORKERS
            assert (seen.depth, seen.rejected) == (CAPACITY, burst * (CROWD - places))
            statuses = await asyncio.gather(*callers)
            assert sorted(statuses) == [201] * places + [503] * (CROWD - places)
        await close()

    virtual_time.run(play())
