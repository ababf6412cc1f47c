"""Who hangs up is heard of at once, by whichever way the server has to tell it."""

import asyncio
from collections.abc import Callable

import pytest
from starlette.types import Message, Receive, Scope, Send

from bpdemo.api.connection.hang_up import HANG_UP_KEY, HangUp, Listening
from bpdemo.api.server import DrainingServer, bind
from tests.flow.helpers import settle
from tests.support.virtual import virtual
from tests.support.waiting import PATIENCE_S


class Line:
    """The `receive` of a server that knows nothing of ours."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()

    async def receive(self) -> Message:
        return await self.messages.get()


def scope_of(hang_up: HangUp | None) -> Scope:
    return {"type": "http"} if hang_up is None else {"type": "http", HANG_UP_KEY: hang_up}


@virtual
async def test_any_server_tells_it_with_a_message() -> None:
    """Messages of other kinds are waited over."""
    line, heard = Line(), []
    with Listening(scope_of(None), line.receive, lambda: heard.append(1)):
        line.messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        await settle()
        assert not heard
        line.messages.put_nowait({"type": "http.disconnect"})
        await settle()
    assert heard == [1]


@virtual
async def test_once_the_answer_is_there_nobody_listens() -> None:
    """Neither the task nor the connection has anything left of a request that is over."""
    line, hang_up, heard = Line(), HangUp(), []
    for known in (None, hang_up):
        with Listening(scope_of(known), line.receive, lambda: heard.append(1)):
            await settle()
    await settle()
    assert len(asyncio.all_tasks()) == 1
    line.messages.put_nowait({"type": "http.disconnect"})
    hang_up.happen()
    await settle()
    assert not heard


@virtual
async def test_our_connection_tells_it_directly() -> None:
    """No task, no message; and the next request on it has a listener of its own."""
    hang_up, heard = HangUp(), []

    def listening(name: str) -> Listening:
        tell: Callable[[], None] = lambda: heard.append(name)  # noqa: E731
        return Listening(scope_of(hang_up), Line().receive, tell)

    with listening("first"):
        pass
    with listening("second"):
        assert len(asyncio.all_tasks()) == 1
        hang_up.happen()
    assert heard == ["second"]


@virtual
async def test_a_caller_who_has_left_already_is_told_at_once() -> None:
    """Their connection ended between the body and the wait for the answer."""
    hang_up, heard = HangUp(), []
    hang_up.happen()
    with Listening(scope_of(hang_up), Line().receive, lambda: heard.append(1)):
        assert heard == [1]


@pytest.mark.parametrize("body_bytes", [26, 70_000])
async def test_our_server_tells_it_without_a_task(body_bytes: int) -> None:
    """Over a real socket, and also when a long body had paused the reading."""
    heard, asked, inside = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        asked.set()
        while (await receive())["more_body"]:
            pass

        async def nothing_more() -> Message:
            raise AssertionError("a task waits for what the connection tells")

        with Listening(scope, nothing_more, heard.set):
            inside.set()
            await heard.wait()

    async def nobody_left() -> None:
        pass

    listener = bind("127.0.0.1", 0)
    server = DrainingServer(application, nobody_left, read_timeout_s=5)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    head = f"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: {body_bytes}\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(PATIENCE_S):
        await asked.wait()
        writer.write(b"x" * body_bytes)
        await inside.wait()
        writer.close()
        await heard.wait()
    server.stop()
    await serving
    assert await reader.read() == b""
