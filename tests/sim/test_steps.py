"""A run in pieces is the run: `Steps` advances it, and nothing in it can tell."""

import asyncio
import itertools
import math
import random
import re
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from bpdemo.sim import virtual_time
from bpdemo.sim.virtual_time import Deadlock, OutOfTime, Steps
from tests.support.examples import examples

Seen = list[tuple[str, float]]
Piece = st.one_of(st.just(0.0), st.floats(0, 3), st.sampled_from([0.5, 1.0, 100.0]))


def now() -> float:
    return asyncio.get_running_loop().time()


def crowd(seed: int, seen: Seen) -> Coroutine[Any, Any, str]:
    """Timeouts, a queue, cancellations, timers of the same moment, and some who never end."""

    async def customer(name: str, chance: random.Random, queue: asyncio.Queue[str]) -> None:
        await asyncio.sleep(chance.choice([0.5, 1.0, chance.random() * 4]))
        try:
            async with asyncio.timeout(chance.choice([0.5, chance.random()])):
                await queue.put(name)
        except TimeoutError:
            seen.append((f"{name} left", now()))

    async def worker(chance: random.Random, queue: asyncio.Queue[str]) -> None:
        try:
            while True:
                name = await queue.get()
                await asyncio.sleep(chance.choice([0.25, chance.expovariate(5)]))
                seen.append((name, now()))
        finally:
            await asyncio.sleep(0.25)
            seen.append(("worker goes", now()))

    async def main() -> str:
        chance, queue = random.Random(seed), asyncio.Queue[str](2)
        workers = [asyncio.create_task(worker(chance, queue)) for _ in range(2)]
        async with asyncio.TaskGroup() as group:
            for number in range(40):
                group.create_task(customer(str(number), chance, queue))
        workers[0].cancel()
        return f"done at {now()}"

    return main()


def whole(seed: int) -> tuple[str, Seen]:
    seen: Seen = []
    return virtual_time.run(crowd(seed, seen)), seen


@profile(max_examples=examples(60))
@given(st.integers(0, 5), st.lists(Piece, min_size=1, max_size=12))
def test_any_pieces_make_the_whole(seed: int, pieces: list[float]) -> None:
    """The same result and the same story at the same times, wherever it was cut; and between two
    pieces nothing has happened that lies beyond the cut."""
    seen: Seen = []
    at_s = 0.0
    with Steps(crowd(seed, seen)) as steps:
        for piece_s in itertools.chain(pieces, itertools.repeat(1.0)):
            is_over = steps.advance(piece_s)
            if is_over:
                break
            at_s += piece_s
            assert steps.now_s == pytest.approx(at_s)
            assert not seen or seen[-1][1] <= steps.now_s
            assert not steps.done
        assert (steps.result(), seen) == whole(seed)
        assert steps.done


def test_a_piece_includes_its_last_moment() -> None:
    """What is due exactly at the cut has happened; what follows it at once has, too."""
    seen: list[float] = []

    async def main() -> None:
        for _ in range(3):
            await asyncio.sleep(1)
            await asyncio.sleep(0)
            seen.append(now())

    with Steps(main()) as steps:
        steps.advance(1)
        assert seen == [1.0]
        steps.advance(0.5)
        assert (seen, steps.now_s) == ([1.0], 1.5)
        steps.advance(0.5)
        assert seen == [1.0, 2.0]


async def test_it_advances_where_another_loop_runs() -> None:
    """In a page or a notebook: between the pieces the outer loop has its turn."""
    seen: Seen = []
    outer, task, turns = asyncio.get_running_loop(), asyncio.current_task(), 0
    with Steps(crowd(3, seen)) as steps:
        while not steps.advance(0.5):
            await asyncio.sleep(0)
            assert asyncio.get_running_loop() is outer
            assert asyncio.current_task() is task
            turns += 1
        assert (steps.result(), seen) == whole(3)
    assert turns > 3


async def fails() -> None:
    await asyncio.sleep(1)
    raise ZeroDivisionError


async def waits_for_nothing() -> None:
    await asyncio.Event().wait()


async def sleeps_for_ever() -> None:
    await asyncio.sleep(math.inf)


async def keeps_time() -> None:
    for _ in itertools.count():
        await asyncio.sleep(1)


@pytest.mark.parametrize(
    ("main", "error"),
    [
        (fails, ZeroDivisionError),
        (waits_for_nothing, Deadlock),
        (sleeps_for_ever, Deadlock),
        (keeps_time, OutOfTime),
    ],
)
def test_it_raises_what_the_whole_run_raises(
    main: Callable[[], Coroutine[Any, Any, None]], error: type[Exception]
) -> None:
    """A run that can come to nothing does not go on for ever in pieces; and it is closed then."""
    with pytest.raises(error) as at_once:
        virtual_time.run(main(), limit_s=10)
    steps = Steps(main(), limit_s=10)

    def go_on() -> None:
        for _ in range(100):
            steps.advance(0.3)

    with pytest.raises(error) as in_pieces:
        go_on()
    told = [re.sub(r"Task-\d+", "Task", str(raised.value)) for raised in (at_once, in_pieces)]
    assert told[0] == told[1]
    assert steps.now_s < 11
    with pytest.raises(RuntimeError, match="closed"):
        steps.advance(1)


def test_one_that_is_given_up_cleans_up_and_runs_no_further() -> None:
    """A new value of a slider drops the run before: no task is left, no warning is given."""
    seen: list[str] = []

    async def other() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            seen.append("other")

    async def main() -> None:
        waiting = asyncio.create_task(other())
        try:
            await asyncio.sleep(50)
        finally:
            seen.append("main")
            await waiting

    steps = Steps(main())
    assert not steps.advance(10)
    steps.close()
    assert sorted(seen) == ["main", "other"]
    steps.close()
    with pytest.raises(RuntimeError, match="closed"):
        steps.advance(1)
    Steps(main()).close()  # one that never began


@pytest.mark.parametrize("by_s", [-1.0, math.nan])
def test_time_does_not_go_back(by_s: float) -> None:
    """A piece is a number of seconds from 0 on."""
    steps = Steps(keeps_time())
    with pytest.raises(ValueError, match="by_s"):
        steps.advance(by_s)
