"""Requests come in whatever pieces the network makes of them: each has its answer, in its turn."""

import asyncio
import zlib
from itertools import accumulate, pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.pipe import Pipe, connected

HEAD = b"%b /%d HTTP/1.1\r\nHost: a\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Tells which request it was, and what its body was; after a while, for some."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    number = int(scope["path"][1:])
    for _ in range(number % 3):
        await asyncio.sleep(0)
    told = f"<{number} {zlib.crc32(body)}>".encode()
    headers = [(b"content-length", str(len(told)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": told})


async def answers_to(pieces: list[bytes], enough: int) -> list[bytes]:
    """What a connection says to them, until it has said so much or nothing more comes of it."""
    pipe = Pipe()
    wire = connected(echo, pipe)
    for piece in pieces:
        await asyncio.wait_for(pipe.may_read.wait(), 1)
        wire.data_received(piece)
        await asyncio.sleep(0)
    for _ in range(200 + 20 * enough):
        if pipe.said.count(b">") >= enough:
            break
        await asyncio.sleep(0)
    wire.connection_lost(None)
    return [bytes(part.rpartition(b"<")[2]) for part in pipe.said.split(b">")[:-1]]


BODIES = st.one_of(
    st.binary(max_size=40), st.sampled_from([b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"])
)
REQUESTS = st.tuples(
    st.sampled_from(["plain", "length", "chunked", "trailer"]), BODIES, st.integers(0, 3)
)


def spelt(number: int, how: str, body: bytes, breaks: int) -> tuple[bytes, bytes]:
    """A request, with so many line breaks before it; and what is to be said to it."""
    before, told = b"\r\n" * breaks, body
    if how == "plain":
        data, told = HEAD % (b"GET", number) + b"\r\n", b""
    elif how == "length":
        data = HEAD % (b"POST", number) + b"Content-Length: %d\r\n\r\n" % len(body) + body
    else:
        half = len(body) // 2
        chunks = [chunk for chunk in (body[:half], body[half:]) if chunk]
        data = HEAD % (b"POST", number) + b"Transfer-Encoding: chunked\r\n\r\n"
        data += b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
        data += b"0\r\n" + b"X: y\r\n" * (how == "trailer") + b"\r\n"
    return before + data, b"%d %d" % (number, zlib.crc32(told))


@given(
    requests=st.lists(REQUESTS, min_size=1, max_size=8),
    cuts=st.lists(st.tuples(st.integers(0, 7), st.integers(-6, 6)), max_size=8),
    width=st.sampled_from([1, 2, 3, 7, 10_000]),
)
@example(requests=[("plain", b"", 0)] * 6, cuts=[(0, -2)], width=10_000)
@settings(max_examples=examples(60), deadline=None)
def test_every_request_is_answered_in_its_turn_whatever_the_pieces(requests, cuts, width):
    """Heads and bodies cut anywhere, line breaks between: none is lost, none is read as another.

    Most cuts are near the end of a request, where it may be taken for that of two.
    """
    spelled = [spelt(number, *request) for number, request in enumerate(requests)]
    ends = list(accumulate(len(data) for data, _ in spelled))
    data = b"".join(data for data, _ in spelled)
    wanted = {ends[number % len(ends)] + offset for number, offset in cuts}
    edges = [0, *sorted(cut for cut in wanted if 0 < cut < len(data)), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    pieces = [p[at : at + width] for p in pieces for at in range(0, len(p), width)]
    assert asyncio.run(answers_to(pieces, len(requests))) == [told for _, told in spelled]
