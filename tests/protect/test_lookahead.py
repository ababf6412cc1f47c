"""What was read before the application asked is handed on: nothing lost, nothing twice."""

import asyncio
from typing import Any

import pytest

from bpdemo.protect.lookahead import MOST_BYTES, Lookahead
from tests.flow.helpers import settle
from tests.protect.edge import DISCONNECT, Request, body_part
from tests.support.virtual import virtual


def nothing() -> None:
    pass


@virtual
async def test_messages_come_in_order_from_wherever_they_were_read() -> None:
    """Two before the hand-over, one awaited during it, two after."""
    request = Request()
    ahead = Lookahead(request.receive)
    ahead.listen(nothing)
    parts = [body_part(b"%d" % n, more=True) for n in range(5)]
    request.says(*parts[:2])
    await settle()
    ahead.stop()
    request.says(*parts[2:])
    assert [await ahead.receive() for _ in parts] == parts
    ahead.close()


@virtual
async def test_an_application_that_stops_listening_for_a_while_loses_nothing() -> None:
    """Many wait for a message with a timeout, and ask again."""
    request = Request()
    ahead = Lookahead(request.receive)
    ahead.listen(nothing)
    await settle()
    ahead.stop()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await ahead.receive()
    request.says(body_part(b"late"))
    assert await ahead.receive() == body_part(b"late")
    ahead.close()


@virtual
async def test_two_who_listen_at_once_share_the_messages_and_hear_none_twice() -> None:
    """A framework may read a body in one task and listen for the hang-up in another."""
    request = Request()
    ahead = Lookahead(request.receive)
    ahead.listen(nothing)
    await settle()
    ahead.stop()
    readers = [asyncio.create_task(ahead.receive()) for _ in range(2)]
    await settle()
    request.says(body_part(b"all"), DISCONNECT)
    heard = await asyncio.gather(*readers)
    assert sorted(message["type"] for message in heard) == ["http.disconnect", "http.request"]
    ahead.close()


@virtual
async def test_a_hang_up_is_told_once_and_handed_on_too() -> None:
    """Until it is stopped; the application hears of the end in any case."""
    for stops in (False, True):
        told: list[bool] = []
        request = Request()
        ahead = Lookahead(request.receive)
        ahead.listen(lambda told=told: told.append(True))  # type: ignore[misc]
        await settle()
        if stops:
            ahead.stop()
        request.hangs_up()
        await settle()
        assert told == ([] if stops else [True])
        assert ahead.hung_up
        assert await ahead.receive() == DISCONNECT
        ahead.close()


@virtual
async def test_a_long_body_is_left_to_the_servers_flow_control() -> None:
    """A queue of uploads must not become a memory full of them."""
    request = Request()
    ahead = Lookahead(request.receive)
    ahead.listen(nothing)
    part = body_part(b"x" * (MOST_BYTES // 4), more=True)
    request.says(*[part] * 10)
    await settle()
    assert request.said.qsize() == 6
    ahead.stop()
    assert [(await ahead.receive()) == part for _ in range(10)] == [True] * 10
    ahead.close()


@virtual
async def test_a_receive_that_fails_fails_in_the_application() -> None:
    """It would have met the error there; nobody else is to swallow it, or to log it."""

    async def broken() -> Any:
        raise ConnectionResetError

    ahead = Lookahead(broken)
    ahead.listen(nothing)
    await settle()
    ahead.stop()
    with pytest.raises(ConnectionResetError):
        await ahead.receive()
    ahead.close()


@virtual
async def test_nothing_is_left_running_at_the_end() -> None:
    """An application that never reads its body leaves no task behind."""
    ahead = Lookahead(Request().receive)
    ahead.listen(nothing)
    await settle()
    ahead.close()
    await settle()
    assert len(asyncio.all_tasks()) == 1
