"""When a connection asks for a verdict of its own, and when it leaves the request to the
application."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bpdemo.api.problems import Problem
from tests.support.pipe import Pipe, connected

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
UPGRADE = b"Connection: upgrade\r\nUpgrade: b\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"3")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"yes"})


class Judge:
    """Says no, and remembers to whom."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, head: Any) -> Problem:
        self.asked.append(head["path"])
        return Problem(503, [(b"content-length", b"2")], b"no")


Play = Callable[[Any, Pipe], None]


def one_read(wire: Any, pipe: Pipe) -> None:
    wire.data_received(GET % 1 + GET % 2 + GET % 3)


def many_reads(wire: Any, pipe: Pipe) -> None:
    for number in (1, 2, 3):
        wire.data_received(GET % number)


def torn_head(wire: Any, pipe: Pipe) -> None:
    for at in range(len(GET % 1)):
        wire.data_received((GET % 1)[at : at + 1])


def not_taken(wire: Any, pipe: Pipe) -> None:
    wire.pause_writing()
    wire.data_received(GET % 1)


@pytest.mark.parametrize(
    ("play", "asked", "said"),
    [
        (one_read, ["/1"], ["no", "yes", "yes"]),
        (many_reads, ["/1", "/2", "/3"], ["no", "no", "no"]),
        (torn_head, ["/1"], ["no"]),
        (not_taken, [], []),
    ],
)
async def test_one_of_all_that_comes_at_once_is_judged(play: Play, asked, said):
    """So that nobody keeps the process to themselves by sending thousands in one go; and none
    whose caller does not take what they were told before: answers to those must not pile up."""
    pipe, judge = Pipe(), Judge()
    wire = connected(application, pipe, verdict=judge)
    play(wire, pipe)
    for _ in range(20):
        await asyncio.sleep(0)
    assert judge.asked == asked
    assert [part[-3:].decode().strip("\n") for part in bodies(pipe)] == said
    wire.connection_lost(None)


def bodies(pipe: Pipe) -> list[bytes]:
    answers = bytes(pipe.said).split(b"HTTP/1.1 ")[1:]
    return [answer.partition(b"\r\n\r\n")[2] for answer in answers]


async def test_nobody_is_judged_while_an_answer_is_owed():
    """Or the no would be taken for it."""
    pipe, judge = Pipe(), Judge()
    answering = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await answering.wait()
        await application(scope, receive, send)

    wire = connected(slow, pipe, verdict=lambda head: judge(head) if judging else None)
    judging = False
    wire.data_received(GET % 1)
    judging = True
    wire.data_received(GET % 2)
    assert judge.asked == []
    answering.set()
    for _ in range(20):
        await asyncio.sleep(0)
    assert bodies(pipe) == [b"yes", b"yes"]
    wire.data_received(GET % 3)
    assert judge.asked == ["/3"]
    wire.connection_lost(None)


async def test_what_ends_the_connection_after_the_next_request_does_not_do_so_before():
    """The second offers another protocol: nothing can be read behind it, but it was asked."""
    pipe, judge = Pipe(), Judge()
    wire = connected(application, pipe, verdict=judge)
    wire.data_received(GET % 1 + (GET % 2).replace(b"Host", UPGRADE + b"Host"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert bodies(pipe) == [b"no", b"yes"]
    assert pipe.said.count(b"connection: close") == 1
    wire.connection_lost(None)
