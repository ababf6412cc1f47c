"""Connections that are open and ask for nothing, and what they cost a server."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.servers import Server

#: To accept and to forget thousands of connections takes a while: a server has done so once it used
#: less than a tenth of this time.
STILL_S = 0.3


@contextmanager
def held_open(server: Server, count: int, asks: bytes = b"") -> Iterator[None]:
    """So many connections, each of which has sent `asks` and reads no answer.

    The server has accepted them all, and afterwards forgotten them.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as opened:
        for _ in range(count):
            one = opened.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            if asks:
                one.sendall(asks)
        await_still(server)
        yield
    await_still(server)


def kib_of_each(server: Server, count: int, asks: bytes = b"") -> float:
    """KiB of resident memory that each of so many connections adds, its order included."""
    before = server.process.memory_info().rss
    with held_open(server, count, asks):
        return (server.process.memory_info().rss - before) / count / 1024


def await_still(server: Server) -> None:
    """Return once it has next to nothing left to do."""
    used_s = -STILL_S
    while (now_s := server.cpu_s()) - used_s > STILL_S / 10:
        used_s = now_s
        time.sleep(STILL_S)
