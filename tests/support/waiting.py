"""Waiting for what a real program will do soon, and failing when it does not: no fixed sleeps."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

PATIENCE_S = 10.0
LOOK_EVERY_S = 0.005

Holds = Callable[..., object]
"""Asked without arguments; those that it has by default are what a loop had when it asked."""


async def until(holds: Holds, what: str = "", *, within_s: float = PATIENCE_S) -> None:
    """Let the loop run until `holds()`; fail when it has not by then."""
    give_up_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < give_up_s, _told(holds, what, within_s)
        await asyncio.sleep(LOOK_EVERY_S)


def eventually(holds: Holds, what: str = "", *, within_s: float = PATIENCE_S) -> Any:
    """What `holds()` gives once it is true; fails when it is not by then."""
    give_up_s = time.monotonic() + within_s
    while not (held := holds()):
        assert time.monotonic() < give_up_s, _told(holds, what, within_s)
        time.sleep(LOOK_EVERY_S)
    return held


def _told(holds: Holds, what: str, within_s: float) -> str:
    return f"still not so after {within_s} s: {what or holds}"
