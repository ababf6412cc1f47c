"""Somebody else's ASGI application on plain uvicorn: nothing of this project is in its way."""

from __future__ import annotations

import inspect
import logging
import os
import socket
import threading
from typing import Any, cast

import uvicorn
from uvicorn.lifespan.on import LifespanOn

from bpdemo.api.server import address_of, bind


class GuestServer(uvicorn.Server):
    """uvicorn at its defaults, on a free loopback port. `why_not` says why it did not start."""

    def __init__(self, app: Any, log_config: dict[str, Any] | None = None) -> None:
        config = uvicorn.Config(app, log_config=log_config)
        super().__init__(config)
        config.load()
        # Where its lifespan fails, uvicorn logs a traceback and leaves.
        base = cast("type[LifespanOn]", config.lifespan_class)
        config.lifespan_class = telling(base, self._note) if base is LifespanOn else base
        self.why_not = ""
        self.ready = threading.Event()
        self._listener: socket.socket = bind("127.0.0.1", 0)

    @property
    def url(self) -> str:
        return address_of(self._listener)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    def serve_until_stopped(self) -> None:
        """Returns when it was told to stop, or could not start; then `started` is false."""
        try:
            self.run(sockets=[self._listener])
        except BaseException as error:
            # A start that fails leaves by SystemExit, and says nothing.
            self.why_not = self.why_not or f"{type(error).__name__}: {error}"
        finally:
            self._listener.close()
            self.ready.set()

    def _note(self, message: str) -> None:
        lines = message.strip().splitlines()
        self.why_not = lines[-1].strip() if lines else "its lifespan said that it failed to start"


def telling(base: type[LifespanOn], note: Any) -> type[LifespanOn]:
    """A lifespan that passes the message of a failed start on to `note`."""

    class Telling(base):  # type: ignore[misc, valid-type]
        async def send(self, message: Any) -> None:
            if message["type"] == "lifespan.startup.failed":
                note(message.get("message", ""))
            await super().send(message)

    return Telling


def require_asgi(name: str, app: Any) -> None:
    """ValueError for what cannot be an ASGI application, such as one for WSGI."""
    if not callable(app):
        raise ValueError(f"{name} is no ASGI application but {type(app).__name__}")
    try:
        signature = inspect.signature(app)
    except (TypeError, ValueError):
        return
    if not any(_takes(signature, count) for count in (3, 1)):
        like = "; a WSGI application (Flask, Django) has a server of its own, and is loaded by URL"
        raise ValueError(
            f"{name} is no ASGI application: those take scope, receive and send"
            + like * _takes(signature, 2)
        )


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


class ThreadLog(logging.Handler):
    """Passes what uvicorn logs in one thread to a stream, line by line."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream
        self._thread: int | None = None
        self.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))

    def begin(self) -> None:
        """From now on, what this thread logs."""
        self._thread = threading.get_ident()
        logger = logging.getLogger("uvicorn.error")
        logger.addHandler(self)
        logger.propagate = False  # a notebook would show it in whatever cell runs

    def end(self) -> None:
        logging.getLogger("uvicorn.error").removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self._stream.write(self.format(record) + os.linesep)
