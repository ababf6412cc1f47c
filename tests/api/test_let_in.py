"""What the connection lets in by its verdict: it is as if the door had let it in, in its turn."""

import asyncio
import re
from collections import Counter
from typing import Any

import pytest

from bpdemo.api.body import read_body
from bpdemo.api.connection.spoken import no_verdict
from bpdemo.api.door import Door
from tests.support.http import BODY, STUCK, Service, running
from tests.support.pipe import Pipe, connected

HOST = b"Host: a\r\n"
ORDER = b"POST /orders HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
ITEMS = b"GET /items HTTP/1.1\r\n" + HOST + b"\r\n"


async def all_at_once(service: Service, *requests: bytes, judging: bool = True) -> list[Pipe]:
    """Each over its own connection, and all in one turn of the loop."""
    pipes = [Pipe() for _ in requests]
    verdict = service.app.state.verdict if judging else no_verdict
    wires = [connected(service.app, pipe, verdict=verdict) for pipe in pipes]
    for wire, request in zip(wires, requests, strict=True):
        wire.data_received(request)
    for _ in range(50):
        await asyncio.sleep(0)
    for wire in wires:
        wire.connection_lost(None)
    return pipes


def told(pipe: Pipe) -> tuple[int, str]:
    """Status and reason of the only answer."""
    said = bytes(pipe.said)
    if not said:
        return 0, ""
    reason = re.search(rb'"reason": ?"(\w+)"', said)
    return int(said[9:12]), reason[1].decode() if reason else ""


async def test_of_orders_that_come_in_one_turn_no_more_are_read_than_there_are_places(monkeypatch):
    """A verdict that knows nothing of those let in just before would let them all in: each would
    be read and understood, only to be refused for want of a place."""
    read: list[Any] = []

    async def counted(*given: Any) -> bytes:
        read.append(given)
        return await read_body(*given)

    monkeypatch.setattr("bpdemo.api.orders.read_body", counted)
    async with running(**STUCK) as service:
        pipes = await all_at_once(service, *[ORDER] * 20)
        assert Counter(map(told, pipes)) == {(0, ""): 1, (503, "queue_full"): 19}
        assert len(read) == 1
        assert service.books["received"] == 20


@pytest.mark.parametrize("judging", [True, False], ids=["connection", "application"])
async def test_who_comes_in_one_turn_with_others_does_not_stand_in_their_way(judging):
    """Neither those that are answered at once, nor those that will find no place, are in flight
    when the next is asked about: a limit is for what is under way."""
    async with running(**STUCK, max_in_flight=2) as service:
        pipes = await all_at_once(service, *[ITEMS, ORDER] * 5, judging=judging)
        assert Counter(map(told, pipes)) == {(200, ""): 5, (0, ""): 1, (503, "queue_full"): 4}


async def test_nothing_stands_outside_the_door():
    """What answered there, or gave up, would leave inside whom the connection has let in."""
    async with running(**STUCK) as service:
        assert [each.cls for each in service.app.user_middleware] == [Door]
