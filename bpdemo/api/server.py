"""The server: uvicorn with a gentle end.

uvicorn answers SIGTERM by closing its listener first. Here a signal starts the drain: new callers
are told so with a 503 while admitted work is finished; only then does the listener close. A second
signal ends the process at once.
"""

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import HANDLED_SIGNALS

from bpdemo.api.connection.descriptors import descriptor_limit
from bpdemo.api.connection.last_words import LastWords
from bpdemo.api.connection.open_connections import OpenConnections, capacity_within
from bpdemo.api.connection.spoken import HeadVerdict, no_verdict
from bpdemo.api.connection.wire import Wire
from bpdemo.core.ports import Observer, SilentObserver

#: How long answers under way get to leave once everything is drained.
LAST_WORDS_S = 2
#: Callers who wait in the kernel until they are let in: a spike fits in, and loses no packet.
BACKLOG = 2048
#: Let in at once: asyncio would go through the whole backlog before anybody else has a turn, and
#: complain of each of them when descriptors are short.
ACCEPTS_PER_TURN = 8


class DrainingServer(uvicorn.Server):
    """Serves `app` on a socket that is bound already; `drain` runs before it stops."""

    def __init__(
        self,
        app: ASGIApp,
        drain: Callable[[], Awaitable[None]],
        *,
        read_timeout_s: float,
        verdict: HeadVerdict = no_verdict,
        other_descriptors: int = 0,
        observer: Observer | None = None,
    ) -> None:
        """`verdict` is asked before `app` is, of requests that nothing else stands in the way of.

        `other_descriptors` are those that the application itself may need, for a database.

        `observer` hears of what connections answer by themselves.
        """
        _hush_uvicorn()
        self.crowd = OpenConnections(capacity_within(descriptor_limit(), other_descriptors))
        wire = partial(
            Wire,
            read_timeout_s=read_timeout_s,
            verdict=verdict,
            crowd=self.crowd,
            last_words=LastWords(observer or SilentObserver()),
        )
        super().__init__(
            uvicorn.Config(
                app,
                http=cast("Any", wire),
                loop="asyncio",  # on every system; "auto" would take uvloop where it is
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=LAST_WORDS_S,
                backlog=ACCEPTS_PER_TURN,
            )
        )
        self.on_ready: Callable[[], None] = lambda: None
        self._drain = drain
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None
        self._signalled = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(BACKLOG)  # asyncio has set it to what it takes in a turn
        if self.started:
            self.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            cast("Wire", connection).transport.abort()  # their time is up
        await asyncio.sleep(0)

    def stop(self) -> None:
        """Begin to drain, then stop. May be called from any thread, and twice."""
        if self._loop is None:
            self.should_exit = True
            return
        with suppress(RuntimeError):  # the loop is closed: it has stopped already
            self._loop.call_soon_threadsafe(self._begin_drain)

    def finish_turn(self, timeout_s: float = 1.0) -> None:
        """From another thread: wait until the loop is done with what it does just now.

        An answer has left before the request it belongs to has come to its end.
        """
        turned = threading.Event()
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed, and so everything has ended
                self._loop.call_soon_threadsafe(turned.set)
                turned.wait(timeout_s)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._signalled or self._draining is not None or self.should_exit:
            os._exit(128 + sig)
        self._signalled = True  # at once: a busy loop may take a while to begin the drain
        self.stop()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises the signal again at the end, so that a clean stop exits with 143.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        originals = {sig: signal.signal(sig, self.handle_exit) for sig in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for sig, handler in originals.items():
                signal.signal(sig, handler)

    def _begin_drain(self) -> None:
        if self._draining is None:
            self._draining = asyncio.ensure_future(self._drain_then_stop())

    async def _drain_then_stop(self) -> None:
        try:
            await self._drain()
        finally:
            self.should_exit = True


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError, as when it is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named: asyncio switches Nagle's algorithm off only where it is, and with it on
    # an answer's body waits some 40 ms for the acknowledgement of its head.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # on Windows it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def address_of(listener: socket.socket) -> str:
    """`http://HOST:PORT` of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _hush_uvicorn() -> None:
    # What it has to say we log ourselves, with request ids, or tell as one clear line.
    logger = logging.getLogger("uvicorn.error")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
