"""Callers who do not take what is said to them, in virtual time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from bpdemo.api.connection.patience import LEAST_BYTES_PER_S, Taking
from bpdemo.api.connection.steady import SteadyTransport
from bpdemo.sim.virtual_time import VirtualTimeLoop
from tests.support.pipe import Pipe, connected

LIMIT_S = 5.0


def play(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main)


async def nobody(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("no request has come")


def taking_from(pipe: Pipe, answer_bytes: int) -> tuple[SteadyTransport, Taking]:
    """What a caller takes of an answer that has just been written to them."""
    loop = asyncio.get_running_loop()
    steady = SteadyTransport(pipe, loop)
    taking = Taking(steady, loop, LIMIT_S)
    steady.write(bytes(answer_bytes))
    taking.expect()
    return steady, taking


class Stuffed(Pipe):
    """Whatever is said to this caller stays where it is."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        super().write(data)
        self.unread_bytes += len(data)


@pytest.mark.parametrize("data", [b"nonsense\r\n\r\n", b"GET / RTSP/1.0\r\nHost: a\r\n\r\n"])
def test_last_words_that_nobody_takes_hold_no_connection(data):
    """Where nothing waited to be taken before them: they are cut off in the usual time."""

    async def main() -> None:
        pipe = Stuffed()
        wire = connected(nobody, pipe, LIMIT_S)
        wire.data_received(data)
        assert pipe.said.startswith(b"HTTP/1.1 400 ")
        await asyncio.sleep(LIMIT_S - 0.1)
        assert not pipe.was_cut
        await asyncio.sleep(0.2)
        assert pipe.was_cut
        wire.connection_lost(None)

    play(main())


@pytest.mark.parametrize("pause_s", [0.5, 2.0, 4.9])
def test_whoever_takes_a_little_at_a_time_is_not_cut_off(pause_s):
    """As slowly as is allowed; and once they have stopped, within twice the time."""

    async def main() -> None:
        pipe = Stuffed()
        taking_from(pipe, 1_000_000)
        for _ in range(99):
            await asyncio.sleep(pause_s)
            pipe.unread_bytes -= int(LEAST_BYTES_PER_S * LIMIT_S)
            assert not pipe.was_cut
        await asyncio.sleep(2 * LIMIT_S)
        assert pipe.was_cut

    play(main())


@pytest.mark.parametrize("pause_s", [0.01, 1.0, 4.5])
def test_a_byte_now_and_then_holds_no_connection(pause_s):
    """Their own system could say for ever that it has taken one more."""

    async def main() -> None:
        pipe = Stuffed()
        taking_from(pipe, 1000)
        for _ in range(int(0.95 * LIMIT_S / pause_s)):
            await asyncio.sleep(pause_s)
            pipe.unread_bytes -= 1
        assert not pipe.was_cut
        await asyncio.sleep(LIMIT_S + 0.1 - asyncio.get_running_loop().time())
        assert pipe.was_cut

    play(main())


@pytest.mark.parametrize("takes_bytes", [2500, 0])
def test_a_second_answer_does_not_hide_what_was_taken_of_the_first(takes_bytes):
    """More waits for them than before, and yet they have read on. Or have not."""

    async def main() -> None:
        pipe = Stuffed()
        steady, taking = taking_from(pipe, 3000)
        await asyncio.sleep(LIMIT_S / 2)
        steady.write(bytes(5000))
        taking.expect()
        pipe.unread_bytes -= takes_bytes
        await asyncio.sleep(LIMIT_S / 2 + 0.1)
        assert pipe.was_cut == (not takes_bytes)

    play(main())
