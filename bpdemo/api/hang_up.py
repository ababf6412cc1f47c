"""Hearing that a caller hung up, while his request is under way.

ASGI has one way to learn of it: a second task that waits for a message which hardly ever comes.
That costs every order some microseconds, so our own connection tells it directly; the task is for
any other server. Neither hears of it while the caller's next request waits for its turn already,
since the server then reads no further.
"""

import asyncio
from collections.abc import Callable

from starlette.types import Receive, Scope

#: Where a connection that can tell says so.
HANG_UP_KEY = "bpdemo.hang_up"


class HangUp:
    """One connection's end. Its requests are served one at a time, so one listener will do."""

    __slots__ = ("has_happened", "tell")

    def __init__(self) -> None:
        self.has_happened = False
        self.tell: Callable[[], None] | None = None

    def happen(self) -> None:
        self.has_happened = True
        if self.tell is not None:
            self.tell()


class Listening:
    """`with Listening(scope, receive, tell)`: calls `tell()` if the caller hangs up inside.

    The body must have been read. What `tell` does must not raise.
    """

    __slots__ = ("_hang_up", "_receive", "_task", "_tell")

    def __init__(self, scope: Scope, receive: Receive, tell: Callable[[], None]) -> None:
        self._hang_up: HangUp | None = scope.get(HANG_UP_KEY)
        self._receive = receive
        self._tell = tell
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        if self._hang_up is None:
            self._task = asyncio.ensure_future(self._wait())
        elif self._hang_up.has_happened:
            self._tell()
        else:
            self._hang_up.tell = self._tell

    def __exit__(self, *_: object) -> None:
        if self._hang_up is not None:
            self._hang_up.tell = None
        elif self._task is not None:
            self._task.cancel()

    async def _wait(self) -> None:
        """Nothing but a hang-up can come after the body."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._tell()
