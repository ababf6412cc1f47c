"""The load generator of the bench: on kept connections it goes on, whatever becomes of one."""

import asyncio

import pytest

from benchmarks.flood import Load
from benchmarks.servers import Came, flood

#: Each waits 50 ms for an answer that does not come: one connection of ten would do.
LOAD = Load(20, seconds=1.5, client_timeout_s=0.05, warm_s=0.0, connections=10)


async def sent_to(server: asyncio.Server) -> Came:
    """By a process of its own, as in the bench."""
    port = server.sockets[0].getsockname()[1]
    async with server:
        return await asyncio.to_thread(flood, port, LOAD)


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until its caller hangs up."""
    await reader.read()
    writer.close()


async def says_no(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Once, and ends."""
    await reader.read(1)
    writer.write(b"HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    writer.close()


@pytest.mark.parametrize(("server", "fate"), [(says_nothing, "left"), (says_no, "503")])
async def test_a_connection_that_was_given_up_or_closed_has_another_in_its_place(server, fate):
    """Or after as many orders as there are connections nothing could be sent any more."""
    came = await sent_to(await asyncio.start_server(server, "127.0.0.1", 0))
    assert came.unsent < LOAD.connections  # of some thirty; without others in place it were twenty
    assert came.counts[fate] > LOAD.connections


async def test_one_that_is_closed_before_it_asked_is_not_opened_again():
    """A server that is full would only close it again."""
    opened = 0

    async def is_full(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        writer.close()

    came = await sent_to(await asyncio.start_server(is_full, "127.0.0.1", 0))
    assert opened <= 2 * LOAD.connections
    assert came.unsent > LOAD.connections
