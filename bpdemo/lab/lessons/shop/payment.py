"""A stand-in for what a service depends on: two calls at a time, 40 ms each."""

import asyncio

LINES = 2
SERVICE_S = 0.040
CAPACITY_PER_S = LINES / SERVICE_S

_lines = asyncio.Semaphore(LINES)


async def pay() -> None:
    """Take the money. Further calls wait in the provider's own queue, which has no bound.

    Cancelling it gives the line back. A real charge may have happened all the same:
    see lesson 04 before you cancel one.
    """
    async with _lines:
        await asyncio.sleep(SERVICE_S)
