"""Connections that are open and ask for nothing, and what they cost a server."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.servers import Server

#: Connections are accepted in batches: memory is read once no more of it is taken for so long.
STILL_S = 0.3


@contextmanager
def held_open(server: Server, count: int, asks: bytes = b"") -> Iterator[None]:
    """So many connections, each of which has sent `asks` and reads no answer.

    The server has accepted them all.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as opened:
        for _ in range(count):
            one = opened.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            if asks:
                one.sendall(asks)
        settled_bytes(server)
        yield


def kib_of_each(server: Server, count: int, asks: bytes = b"") -> float:
    """KiB of resident memory that each of so many connections adds, its order included."""
    before = settled_bytes(server)
    with held_open(server, count, asks):
        return (server.process.memory_info().rss - before) / count / 1024


def settled_bytes(server: Server) -> int:
    """Resident memory, once it does not change any more."""
    memory = -1
    while memory != (now := server.process.memory_info().rss):
        memory = now
        time.sleep(STILL_S)
    return memory
