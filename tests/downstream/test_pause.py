"""A pause is as long as it says, on average, though every timer fires late."""

import asyncio
from statistics import fmean
from typing import Any

import pytest

from bpdemo.downstream.pause import Pause
from tests.support.virtual import virtual


@virtual
async def test_where_no_timer_is_late_it_is_exact() -> None:
    pause, clock = Pause(), asyncio.get_running_loop().time
    for number in range(1, 101):
        await pause.take(0.002)
        assert clock() == pytest.approx(0.002 * number)


@virtual
async def test_no_time_is_not_even_a_turn_of_the_loop() -> None:
    order: list[str] = []
    asyncio.get_running_loop().call_soon(order.append, "others")
    await Pause().take(0)
    await Pause().take(-1)
    order.append("we")
    await asyncio.sleep(0)
    assert order == ["we", "others"]


@virtual
async def test_it_aims_short_by_what_the_last_ones_were_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    on_time = loop.call_later

    def late(delay_s: float, *what: Any) -> asyncio.TimerHandle:
        return on_time(delay_s + 0.001, *what)

    monkeypatch.setattr(loop, "call_later", late)
    pause, clock = Pause(), asyncio.get_running_loop().time
    taken = []
    for _ in range(200):
        began_s = clock()
        await pause.take(0.002)
        taken.append(clock() - began_s)
    assert taken[0] == pytest.approx(0.003)
    assert fmean(taken[100:]) == pytest.approx(0.002, rel=0.01)


@virtual
async def test_who_is_cancelled_meanwhile_leaves_no_timer() -> None:
    """Nothing fires at the end of a pause that nobody takes any more."""
    loop, began_s = asyncio.get_running_loop(), asyncio.get_running_loop().time()
    taking = asyncio.create_task(Pause().take(3600.0))
    await asyncio.sleep(0)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert loop.time() == began_s
    assert "timers=0" in repr(loop)
