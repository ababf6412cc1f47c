"""Callers who do not take what is said to them, in virtual time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from bpdemo.api.connection.patience import Taking
from bpdemo.sim.virtual_time import VirtualTimeLoop
from tests.support.pipe import Pipe, connected

LIMIT_S = 5.0


def play(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main)


async def nobody(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("no request has come")


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
    """However slowly; and once they have stopped, within twice the time."""

    async def main() -> None:
        pipe = Pipe()
        pipe.unread_bytes = 1000
        taking = Taking(pipe, asyncio.get_running_loop(), LIMIT_S)
        taking.expect()
        for _ in range(99):
            await asyncio.sleep(pause_s)
            pipe.unread_bytes -= 10
            assert not pipe.was_cut
        await asyncio.sleep(2 * LIMIT_S)
        assert pipe.was_cut

    play(main())
