"""Hearing that a caller hung up, while their request is under way.

ASGI has one way to learn of it: a second task that waits for a message which hardly ever comes.
That costs every order some microseconds, so our own connection tells it directly; the task is for
any other server.

A caller who closes a connection and one who has merely said all there is to say send the same
packet. So it is a hang-up only where somebody listens who takes it for one: then the work is
dropped and the connection ends. Otherwise the answer is given first.
"""

import asyncio
from collections.abc import Callable

from starlette.types import Receive, Scope

#: Where a connection that can tell says so.
HANG_UP_KEY = "bpdemo.hang_up"


def nothing() -> None:
    """Whom to tell once there is nobody left to tell."""


def _always() -> bool:
    return True


class HangUp:
    """One connection's end. Its requests are served one at a time, so one listener will do."""

    __slots__ = ("_leave", "has_happened", "heeds", "is_half_closed", "tell")

    def __init__(self, leave: Callable[[], None] = nothing) -> None:
        """`leave` ends a half-closed connection whose caller is taken to have left."""
        self._leave = leave
        self.has_happened = False
        self.is_half_closed = False  # the caller sends nothing any more, and may have left
        self.tell: Callable[[], None] | None = None
        self.heeds: Callable[[], bool] = _always

    @property
    def is_heeded(self) -> bool:
        """Whether the end of what the caller sends is the end of what they want."""
        return self.tell is not None and self.heeds()

    def happen(self) -> None:
        self.has_happened = True
        if self.tell is not None:
            self.tell()

    def listen(self, tell: Callable[[], None], heeds: Callable[[], bool]) -> None:
        self.tell, self.heeds = tell, heeds
        if self.has_happened:
            tell()
        elif self.is_half_closed and heeds():
            self._leave()

    def forget(self) -> None:
        """Let go of the connection, which is over. Listeners have been told."""
        self._leave = nothing

    def ignore(self) -> None:
        self.tell, self.heeds = None, _always


class Listening:
    """`with Listening(scope, receive, tell)`: calls `tell()` if the caller hangs up inside.

    The body must have been read. What `tell` does must not raise. While `heeds()` is false, the
    end of what the caller sends is no hang-up, only the end of the connection is.
    """

    __slots__ = ("_hang_up", "_heeds", "_receive", "_task", "_tell")

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        tell: Callable[[], None],
        heeds: Callable[[], bool] = _always,
    ) -> None:
        self._hang_up: HangUp | None = scope.get(HANG_UP_KEY)
        self._receive = receive
        self._tell = tell
        self._heeds = heeds
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        if self._hang_up is None:
            self._task = asyncio.ensure_future(self._wait())
        else:
            self._hang_up.listen(self._tell, self._heeds)

    def __exit__(self, *_: object) -> None:
        if self._hang_up is not None:
            self._hang_up.ignore()
        elif self._task is not None:
            self._task.cancel()

    async def _wait(self) -> None:
        """Nothing but a hang-up can come after the body."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._tell()
