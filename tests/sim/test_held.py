"""Tasks that are held: none is lost while it runs, and none is kept for ever."""

import asyncio
import gc
import weakref

from bpdemo.sim.held import FEWEST, HeldTasks
from tests.support.virtual import virtual


@virtual
async def test_a_task_that_nothing_else_holds_comes_to_its_end() -> None:
    """The garbage collector cannot take it, though only a future of its own would wake it."""
    held, ended = HeldTasks(), []
    later: list[weakref.ref[asyncio.Future[None]]] = []

    async def waits(number: int) -> None:
        future = asyncio.get_running_loop().create_future()
        later.append(weakref.ref(future))
        await future
        ended.append(number)

    for number in range(3):
        held.add(asyncio.get_running_loop().create_task(waits(number)))
    await asyncio.sleep(1)
    gc.collect()
    for place in later:
        future = place()
        assert future is not None
        future.set_result(None)
        del future
    await held.wait()
    assert ended == [0, 1, 2]


@virtual
async def test_those_that_are_done_are_let_go() -> None:
    """An hour of customers does not fill the memory; `wait` sees those that come meanwhile."""
    held = HeldTasks()
    most = 0

    async def customer(more: int) -> None:
        await asyncio.sleep(1)
        if more:
            held.add(asyncio.get_running_loop().create_task(customer(more - 1)))

    for _ in range(40 * FEWEST):
        held.add(asyncio.get_running_loop().create_task(customer(2)))
        most = max(most, len(held._tasks))
        await asyncio.sleep(0.1)
    assert most <= FEWEST
    await held.wait()
    assert not held.running()
    assert not asyncio.all_tasks() - {asyncio.current_task()}
