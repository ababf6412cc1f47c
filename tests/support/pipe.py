"""A connection without a network: what is said to it goes in piece by piece."""

import asyncio
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from bpdemo.api.connection.last_words import LastWords
from bpdemo.api.connection.open_connections import OpenConnections
from bpdemo.api.connection.spoken import HeadVerdict, no_verdict
from bpdemo.api.connection.wire import Wire
from bpdemo.core.ports import SilentObserver


class Pipe(asyncio.Transport):
    """Takes what is said, and knows whether anything may come."""

    def __init__(self) -> None:
        super().__init__()
        self.said = bytearray()
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.unread_bytes = 0  # that the caller has not taken, as far as one can see from here
        self.was_cut = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.said += data

    def pause_reading(self) -> None:
        self.may_read.clear()

    def resume_reading(self) -> None:
        self.may_read.set()

    def is_closing(self) -> bool:
        return False

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return self.unread_bytes

    def close(self) -> None:
        pass

    def abort(self) -> None:
        self.was_cut = True


def connected(
    app: Any, pipe: Pipe, read_timeout_s: float = 0.0, verdict: HeadVerdict = no_verdict
) -> Wire:
    """The server's side of it."""
    config = uvicorn.Config(app, log_config=None, lifespan="off")
    config.load()
    words = LastWords(SilentObserver())
    wire = Wire(
        read_timeout_s=read_timeout_s, verdict=verdict, crowd=OpenConnections(),
        last_words=words, config=config, server_state=ServerState(), app_state={},
    )  # fmt: skip
    wire.connection_made(pipe)
    return wire
