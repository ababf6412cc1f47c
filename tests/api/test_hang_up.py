"""Who hangs up is heard of at once, by whichever way the server has to tell it."""

import asyncio
from collections.abc import Callable

from starlette.types import Message, Scope

from bpdemo.api.hang_up import HANG_UP_KEY, HangUp, Listening
from tests.flow.helpers import settle
from tests.support.virtual import virtual


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
    """His connection ended between the body and the wait for the answer."""
    hang_up, heard = HangUp(), []
    hang_up.happen()
    with Listening(scope_of(hang_up), Line().receive, lambda: heard.append(1)):
        assert heard == [1]
