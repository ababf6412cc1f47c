"""A call in a task of its own: what it raises, and what is left of it when we end."""

import asyncio
import gc
import warnings

import pytest

from bpdemo.service.own_task import CallBrokeOff, apart
from tests.support.virtual import virtual


@pytest.mark.parametrize("steps", range(4))
@virtual
async def test_one_who_ends_leaves_no_call_that_was_never_begun(steps: int) -> None:
    """At any step of the loop: nothing is collected later that somebody had to await."""
    begun = 0

    async def call() -> None:
        nonlocal begun
        begun += 1
        await asyncio.sleep(60)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        task = asyncio.ensure_future(apart(call))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        gc.collect()
    assert begun <= 1
    assert [str(warning.message) for warning in caught] == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
@virtual
async def test_a_call_that_would_end_the_process_breaks_off(error: type[BaseException]) -> None:
    """And the loop goes on."""

    async def call() -> None:
        raise error

    with pytest.raises(CallBrokeOff, match=error.__name__):
        await apart(call)
