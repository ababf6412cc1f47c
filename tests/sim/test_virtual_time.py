"""Virtual time is asyncio in every respect but the clock, and nothing else can reach it."""

import asyncio
import contextvars
import gc
import itertools
import math
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.sim import virtual_time
from bpdemo.sim.virtual_time import (
    Deadlock,
    OutOfTime,
    RealWorldForbidden,
    VirtualTimeError,
    VirtualTimeLoop,
)
from tests.support.virtual import virtual

HOUR_S = 3600.0


def now() -> float:
    return asyncio.get_running_loop().time()


# The clock


@virtual
async def test_the_clock_starts_at_zero_and_jumps_to_the_next_timer() -> None:
    """An hour of sleep takes an hour of the loop's time, and next to none of ours."""
    began = time.perf_counter()
    assert now() == 0.0
    await asyncio.sleep(HOUR_S)
    assert now() == HOUR_S
    assert time.perf_counter() - began < 5


@virtual
async def test_the_clock_stands_still_while_anything_is_ready() -> None:
    """Work takes no virtual time, however many turns of the loop it needs."""
    for _ in range(1000):
        await asyncio.sleep(0)
    assert now() == 0.0


@virtual
async def test_timers_of_one_moment_run_first_in_first_out() -> None:
    """Equal times keep the order in which they were set, cancelled ones apart."""
    loop = asyncio.get_running_loop()
    ran: list[int] = []
    timers = [loop.call_at(1.0, ran.append, n) for n in range(500)]
    for timer in timers[::3]:
        timer.cancel()
    await asyncio.sleep(1.0)
    assert ran == [n for n in range(500) if n % 3]


@virtual
async def test_a_timer_in_the_past_runs_at_once_and_never_turns_the_clock_back() -> None:
    """call_at with a time gone by fires now, also while others keep the loop busy."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(5)
    fired = loop.create_future()
    loop.call_at(1.0, fired.set_result, None)
    while not fired.done():  # noqa: ASYNC110 - keeping the loop busy is the point
        await asyncio.sleep(0)
    assert now() == 5.0


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=300))
@virtual
async def test_timers_run_in_order_and_cancelled_ones_never(
    plan: list[tuple[float, bool]],
) -> None:
    """Whatever is set and cancelled, what is left runs once, by time and then by age, on time."""
    loop = asyncio.get_running_loop()
    ran: list[tuple[float, int]] = []

    def note(when: float, number: int) -> None:
        assert loop.time() == when
        ran.append((when, number))

    timers = [loop.call_at(when, note, when, n) for n, (when, _) in enumerate(plan)]
    for timer, (_, is_cancelled) in zip(timers, plan, strict=True):
        if is_cancelled:
            timer.cancel()
            timer.cancel()
    await asyncio.sleep(101)
    assert ran == sorted((when, n) for n, (when, cancelled) in enumerate(plan) if not cancelled)


@virtual
async def test_cancelled_timers_do_not_pile_up() -> None:
    """Timeouts that never fire are swept out, so an hour of traffic does not fill the memory."""
    loop = asyncio.get_running_loop()
    keeper = loop.call_later(HOUR_S, lambda: None)
    for _ in range(10_000):
        async with asyncio.timeout(60):
            await asyncio.sleep(0)
    assert len(loop._scheduled) < 250  # type: ignore[attr-defined]
    assert not keeper.cancelled()
    assert keeper.when() == HOUR_S
    await asyncio.sleep(HOUR_S)
    assert not loop._scheduled  # type: ignore[attr-defined]
    assert loop._cancelled_timers == 0  # type: ignore[attr-defined]


# asyncio's own tools


@virtual
async def test_timeouts_fire_at_their_moment() -> None:
    """asyncio.timeout and wait_for cut a wait short at exactly their time."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2.5):
            await asyncio.Event().wait()
    assert now() == 2.5
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.sleep(10), 1.5)
    assert now() == 4.0
    assert await asyncio.wait_for(asyncio.sleep(1, "done"), 1.5) == "done"


@virtual
async def test_a_task_group_cancels_the_rest_when_one_fails() -> None:
    """The failure reaches the caller at its moment, and the long sleep ends with it."""

    async def sleep_and_fail() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(HOUR_S))
            group.create_task(fail_after(3))

    with pytest.raises(ExceptionGroup) as failure:
        await sleep_and_fail()
    assert failure.group_contains(ZeroDivisionError)
    assert now() == 3.0


async def fail_after(delay_s: float) -> None:
    await asyncio.sleep(delay_s)
    raise ZeroDivisionError


@virtual
async def test_a_task_runs_in_the_context_it_is_given() -> None:
    """create_task(context=…) and callbacks see their own context's values."""
    name = contextvars.ContextVar("name", default="outer")
    inner = contextvars.copy_context()
    inner.run(name.set, "inner")
    seen: list[str] = []

    async def look() -> None:
        await asyncio.sleep(1)
        seen.append(name.get())

    await asyncio.create_task(look(), context=inner)
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: seen.append(name.get()), context=inner)
    loop.call_later(1, lambda: seen.append(name.get()))
    await asyncio.sleep(2)
    assert seen == ["inner", "inner", "outer"]


@virtual
async def test_a_cancelled_callback_never_runs() -> None:
    """Handles of call_soon can be cancelled, also twice, and say so."""
    ran: list[str] = []
    handle = asyncio.get_running_loop().call_soon(ran.append, "never")
    handle.cancel()
    handle.cancel()
    await asyncio.sleep(0)
    assert handle.cancelled()
    assert ran == []
    assert "cancelled" in repr(handle)


@virtual
async def test_a_timer_cancelled_by_its_neighbour_never_runs() -> None:
    """Of two timers of the same moment, the first may still cancel the second."""
    loop = asyncio.get_running_loop()
    ran: list[str] = []
    timers: list[asyncio.TimerHandle] = []
    loop.call_at(1.0, lambda: timers.pop().cancel())
    timers.append(loop.call_at(1.0, ran.append, "never"))
    await asyncio.sleep(2)
    assert ran == []


@virtual
async def test_a_callback_that_raises_is_reported_and_the_loop_goes_on() -> None:
    """The exception handler gets the error and the handle; the next callback still runs."""
    loop = asyncio.get_running_loop()
    reports: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, report: reports.append(report))
    handle = loop.call_soon(lambda: 1 / 0)
    await asyncio.sleep(1)
    assert [type(report["exception"]) for report in reports] == [ZeroDivisionError]
    assert reports[0]["handle"] is handle


@virtual
async def test_a_lost_asynchronous_generator_is_closed() -> None:
    """A generator left half-way runs its finally when it is collected."""
    closed: list[float] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            closed.append(now())

    generator = numbers()
    assert await anext(generator) == 1
    del generator
    gc.collect()
    await asyncio.sleep(1)
    assert closed == [0.0]


# run()


def test_run_returns_the_result_and_leaves_nothing_behind() -> None:
    """Leftover tasks are cancelled, their clean-up may wait, and the loop is closed."""
    story: list[object] = []

    async def leftover() -> None:
        try:
            await asyncio.sleep(HOUR_S)
        finally:
            await asyncio.sleep(1)
            story.append(now())

    async def main() -> str:
        story.append(asyncio.create_task(leftover()))
        await asyncio.sleep(1)
        return "result"

    assert virtual_time.run(main()) == "result"
    task, cleaned_up_at = story
    assert isinstance(task, asyncio.Task)
    assert task.cancelled()
    assert cleaned_up_at == 2.0
    assert task.get_loop().is_closed()


def test_run_raises_what_main_raises() -> None:
    """An error in main is the caller's error."""
    with pytest.raises(ZeroDivisionError):
        virtual_time.run(fail_after(1))


def test_an_interrupt_leaves_the_loop_at_once() -> None:
    """KeyboardInterrupt from a callback is not reported away: it ends the run."""

    async def main() -> None:
        asyncio.get_running_loop().call_later(1, interrupt)
        await asyncio.sleep(HOUR_S)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        virtual_time.run(main())


async def test_run_works_where_another_loop_already_runs() -> None:
    """In a notebook's cell a loop is running; the virtual hour passes beside it, with context."""
    name = contextvars.ContextVar("name", default="")
    name.set("notebook")

    async def main() -> tuple[float, str]:
        await asyncio.sleep(HOUR_S)
        return now(), name.get()

    outer = asyncio.get_running_loop()
    assert virtual_time.run(main()) == (HOUR_S, "notebook")
    assert asyncio.get_running_loop() is outer
    with pytest.raises(ZeroDivisionError):
        virtual_time.run(fail_after(1))


async def test_what_runs_outside_stands_still_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread is started for the run inside; the outer loop, its task and its timeouts are as
    they were, whether the run succeeds or raises."""
    monkeypatch.setattr(threading.Thread, "start", _no_thread)
    outer, task = asyncio.get_running_loop(), asyncio.current_task()

    async def main() -> None:
        assert asyncio.get_running_loop() is not outer
        assert asyncio.current_task() is not task
        await asyncio.sleep(HOUR_S)

    async with asyncio.timeout(60):
        virtual_time.run(main())
        with pytest.raises(ZeroDivisionError):
            virtual_time.run(fail_after(1))
        assert asyncio.current_task() is task
        await asyncio.sleep(0)
    assert asyncio.get_running_loop() is outer


def _no_thread(_: threading.Thread) -> None:
    raise AssertionError("a browser has no threads")


async def test_an_interrupted_notebook_stops_the_run() -> None:
    """Ctrl-C cancels an endless run, whose clean-up still happens; the notebook's loop goes on."""
    ended: list[float] = []

    async def endless() -> None:
        asyncio.get_running_loop().call_later(HOUR_S, signal.raise_signal, signal.SIGINT)
        try:
            for _ in itertools.count():
                await asyncio.sleep(1)
        finally:
            await asyncio.sleep(1)
            ended.append(now())

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # as a kernel has it
    try:
        with pytest.raises(KeyboardInterrupt):
            virtual_time.run(endless())
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended
    assert HOUR_S <= ended[0] <= HOUR_S + 2
    await asyncio.sleep(0)


def test_the_garbage_collector_is_left_as_it_was() -> None:
    """It looks less often during a run; afterwards, also after an error, as often as before, and
    one that was turned off or slowed down further stays so."""
    seen: list[tuple[int, int, int]] = []

    async def main() -> None:
        seen.append(gc.get_threshold())
        raise ZeroDivisionError

    before = gc.get_threshold()
    try:
        for usual in ((700, 10, 10), (0, 10, 10), (10**6, 5, 5)):
            gc.set_threshold(*usual)
            with pytest.raises(ZeroDivisionError):
                virtual_time.run(main())
            assert gc.get_threshold() == usual
    finally:
        gc.set_threshold(*before)
    assert seen == [(20_000, 10, 10), (0, 10, 10), (10**6, 5, 5)]


def test_a_run_that_is_over_leaves_nothing_for_a_collection() -> None:
    """Thousands of them are made in one process, where collections are few."""

    async def main() -> weakref.ref[Any]:
        await asyncio.gather(asyncio.sleep(1), asyncio.sleep(2))
        return weakref.ref(asyncio.get_running_loop())

    gc.disable()
    try:
        assert virtual_time.run(main())() is None
    finally:
        gc.enable()


def test_two_runs_with_one_seed_are_the_same_to_the_last_bit() -> None:
    """Order and times of a busy crowd depend on the seed alone."""

    async def crowd(seed: int) -> list[tuple[float, int]]:
        rng, seen = random.Random(seed), list[tuple[float, int]]()
        queue = asyncio.Queue[int](3)

        async def customer(number: int) -> None:
            await asyncio.sleep(rng.random())
            try:
                async with asyncio.timeout(rng.random()):
                    await queue.put(number)
            except TimeoutError:
                seen.append((now(), -number))

        async def worker() -> None:
            while True:
                number = await queue.get()
                await asyncio.sleep(rng.expovariate(50))
                seen.append((now(), number))

        workers = [asyncio.create_task(worker()) for _ in range(2)]
        async with asyncio.TaskGroup() as customers:
            for number in range(1, 300):
                customers.create_task(customer(number))
        for task in workers:
            task.cancel()
        return seen

    first, again, other = (virtual_time.run(crowd(seed)) for seed in (1, 1, 2))
    assert len(first) > 250
    assert first == again != other


# What cannot be


def test_a_deadlock_is_an_error_and_not_a_hang() -> None:
    """When nothing can wake main, the error says since when, and who waits where."""

    async def main() -> None:
        await asyncio.sleep(7)
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match=r"at 7 s.*main:\d+ > Event\.wait:\d+") as deadlock:
        virtual_time.run(main())
    assert isinstance(deadlock.value, VirtualTimeError)
    assert isinstance(deadlock.value, RuntimeError)


def test_a_deadlock_names_a_few_of_many() -> None:
    """With a crowd waiting, five are named and the rest counted."""

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(10):
                group.create_task(forever(), name=f"waiter {number}")

    with pytest.raises(Deadlock, match="and 6 more"):
        virtual_time.run(main())


async def forever() -> None:
    await asyncio.Event().wait()


def test_a_timer_that_never_comes_does_not_count() -> None:
    """Sleeping for an infinite time is a deadlock too."""
    with pytest.raises(Deadlock):
        virtual_time.run(asyncio.sleep(math.inf))


def test_the_limit_ends_a_run_that_only_keeps_time() -> None:
    """A ticking sampler cannot hide that main waits for ever; clean-up may pass the limit."""
    cleaned_up: list[float] = []

    async def sampler() -> None:
        try:
            for _ in itertools.count():
                await asyncio.sleep(1)
        finally:
            await asyncio.sleep(100)
            cleaned_up.append(now())

    async def main() -> None:
        ticking = asyncio.create_task(sampler())
        await asyncio.Event().wait()
        ticking.cancel()

    with pytest.raises(OutOfTime, match=r"at 11 s, past limit_s=10"):
        virtual_time.run(main(), limit_s=10)
    assert cleaned_up == [110.0]


def reader(loop: asyncio.AbstractEventLoop) -> None:
    loop.add_reader(0, print)


REAL_WORLD: dict[str, Callable[[asyncio.AbstractEventLoop], object]] = {
    "connect": lambda loop: asyncio.open_connection("127.0.0.1", 1),
    "serve": lambda loop: asyncio.start_server(print, "127.0.0.1", 0),
    "datagram": lambda loop: loop.create_datagram_endpoint(asyncio.DatagramProtocol),
    "resolve": lambda loop: loop.getaddrinfo("localhost", 80),
    "reader": reader,
    "writer": lambda loop: loop.add_writer(0, print),
    "sock_recv": lambda loop: loop.sock_recv(socket.socket.__new__(socket.socket), 1),
    "pipe": lambda loop: loop.connect_read_pipe(asyncio.Protocol, sys.stdin),
    "process": lambda loop: asyncio.create_subprocess_exec(sys.executable),
    "shell": lambda loop: asyncio.create_subprocess_shell("true", stdout=subprocess.PIPE),
    "thread": lambda loop: asyncio.to_thread(print),
    "executor": lambda loop: loop.run_in_executor(None, print),
    "signal": lambda loop: loop.add_signal_handler(2, print),
}


@pytest.mark.parametrize("reach", REAL_WORLD.values(), ids=REAL_WORLD)
@virtual
async def test_the_real_world_is_out_of_reach(
    reach: Callable[[asyncio.AbstractEventLoop], Coroutine[Any, Any, object] | None],
) -> None:
    """Sockets, processes, threads and signals raise at once, and the error names the call."""

    async def try_to() -> None:
        if (awaitable := reach(asyncio.get_running_loop())) is not None:
            await awaitable

    with pytest.raises(RealWorldForbidden, match=r"^\w+: under virtual time"):
        await try_to()


def test_no_call_of_the_real_world_is_forgotten() -> None:
    """Whatever asyncio's loop can do beyond time and tasks is refused by name."""
    pure = {
        "call_at",
        "call_exception_handler",
        "call_later",
        "call_soon",
        "call_soon_threadsafe",
        "close",
        "create_future",
        "create_task",
        "default_exception_handler",
        "get_debug",
        "get_exception_handler",
        "get_task_factory",
        "is_closed",
        "is_running",
        "run_forever",
        "run_until_complete",
        "set_debug",
        "set_exception_handler",
        "set_task_factory",
        "shutdown_asyncgens",
        "shutdown_default_executor",
        "slow_callback_duration",
        "stop",
        "time",
    }
    public = {name for name in dir(asyncio.SelectorEventLoop) if not name.startswith("_")}
    assert public - pure <= set(virtual_time._REAL_WORLD)


@virtual
async def test_another_thread_cannot_wake_the_loop() -> None:
    """call_soon_threadsafe is refused from outside, and allowed from the loop's own thread."""
    loop = asyncio.get_running_loop()
    errors: list[BaseException] = []

    def intrude() -> None:
        try:
            loop.call_soon_threadsafe(print)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=intrude)
    thread.start()
    thread.join()
    assert [type(error) for error in errors] == [RealWorldForbidden]
    called = loop.create_future()
    loop.call_soon_threadsafe(called.set_result, None)
    await called


WAYS_IN: dict[str, Callable[[VirtualTimeLoop, Any], object]] = {
    "call_soon": lambda loop, f: loop.call_soon(f),
    "call_soon_threadsafe": lambda loop, f: loop.call_soon_threadsafe(f),
    "call_later": lambda loop, f: loop.call_later(1.0, f),
    "call_at": lambda loop, f: loop.call_at(1.0, f),
}


def with_a_coroutine(way_in: Callable[[Any], object]) -> None:
    coroutine = forever()
    try:
        way_in(coroutine)
    finally:
        coroutine.close()  # it was refused, and warns when it is never awaited


@pytest.mark.parametrize(
    "way_in",
    [
        *WAYS_IN.values(),
        lambda loop, _: with_a_coroutine(loop.create_task),
        lambda loop, _: with_a_coroutine(lambda c: asyncio.run_coroutine_threadsafe(c, loop)),
    ],
    ids=[*WAYS_IN, "a task", "a coroutine"],
)
@virtual
async def test_another_thread_finds_every_way_in_closed(
    way_in: Callable[[VirtualTimeLoop, Any], object],
) -> None:
    """What came in would run at a moment that no seed decides; the loop itself notices nothing."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    errors: list[BaseException] = []
    ran: list[str] = []

    def intrude() -> None:
        try:
            way_in(loop, lambda: ran.append("ran"))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=intrude)
    thread.start()
    thread.join()
    await asyncio.sleep(5)
    assert [type(error) for error in errors] == [RealWorldForbidden]
    assert isinstance(errors[0], RuntimeError)  # which is what asyncio raises, in debug mode
    assert ran == []


@virtual
async def test_a_task_that_another_thread_may_not_make_leaves_nothing_behind() -> None:
    """It is refused before it begins: no task is destroyed later while it is pending."""
    loop = asyncio.get_running_loop()
    reported: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))
    refused: list[str] = []

    def intrude() -> None:
        try:
            with_a_coroutine(loop.create_task)
        except RealWorldForbidden as error:
            refused.append(str(error))

    thread = threading.Thread(target=intrude)
    thread.start()
    thread.join()
    gc.collect()
    assert len(refused) == 1
    assert refused[0].startswith("create_task from another thread")
    assert reported == []


@pytest.mark.parametrize("way_in", WAYS_IN.values(), ids=WAYS_IN)
@virtual
async def test_no_callback_is_refused_at_once(
    way_in: Callable[[VirtualTimeLoop, Any], object],
) -> None:
    """TypeError, as asyncio's debug mode has it: None would be taken for a cancelled one."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    before = repr(loop)
    with pytest.raises(TypeError, match="None"):
        way_in(loop, None)
    assert repr(loop) == before


@pytest.mark.parametrize(
    ("when", "error"),
    [
        (None, TypeError),
        ("soon", TypeError),
        (1j, TypeError),
        (math.nan, ValueError),
        (-math.inf, ValueError),
    ],
)
@virtual
async def test_a_moment_that_is_none_is_refused_at_once(when: Any, error: type[Exception]) -> None:
    """By `call_at` and `call_later`; NaN would put the order of all other timers out of joint."""
    loop = asyncio.get_running_loop()
    before = repr(loop)
    with pytest.raises(error):
        loop.call_at(when, print)
    with pytest.raises(error):
        loop.call_later(when, print)
    assert repr(loop) == before
    await asyncio.sleep(1)


def test_what_is_left_at_the_end_is_cancelled_in_the_order_it_began() -> None:
    """By name or not, long ago or just now: an abrupt end has one history, too."""

    def history() -> list[int]:
        ended: list[int] = []

        async def worker(number: int) -> None:
            try:
                await asyncio.sleep(HOUR_S)
            finally:
                ended.append(number)

        async def main() -> None:
            tasks = [
                asyncio.create_task(worker(number), name="worker" if number % 3 else None)
                for number in range(40)
            ]
            await asyncio.sleep(1)
            for task in tasks[::7]:
                task.cancel()
            tasks += [asyncio.create_task(worker(number)) for number in range(40, 60)]
            await asyncio.sleep(1)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            virtual_time.run(main())
        return ended

    first = history()
    assert first == [*range(0, 40, 7), *[n for n in range(60) if n % 7 or n >= 40]]
    assert all(history() == first for _ in range(10))


def test_what_fails_while_it_is_cancelled_at_the_end_is_reported() -> None:
    """As asyncio reports it: nothing is swallowed."""
    reported: list[BaseException] = []

    async def stubborn() -> None:
        try:
            await asyncio.sleep(HOUR_S)
        finally:
            raise ZeroDivisionError

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: reported.append(context["exception"])
        )
        main.task = asyncio.create_task(stubborn())  # type: ignore[attr-defined]
        await asyncio.sleep(1)

    virtual_time.run(main())
    assert [type(error) for error in reported] == [ZeroDivisionError]


@virtual
async def test_a_task_factory_is_asked_as_ever() -> None:
    """What was set is used, with its context and name, and its tasks end with the others."""
    loop = asyncio.get_running_loop()
    made: list[str] = []

    def factory(
        loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **options: Any
    ) -> "asyncio.Task[Any]":
        made.append("made")
        return asyncio.Task(coro, loop=loop, **options)

    loop.set_task_factory(factory)  # type: ignore[arg-type]
    task = asyncio.create_task(asyncio.sleep(1, "slept"), name="sleeper")
    loop.set_task_factory(None)
    assert await task == "slept"
    assert (made, task.get_name()) == (["made"], "sleeper")


def test_the_loop_holds_no_file_descriptor_and_refuses_work_once_closed() -> None:
    """Opening a loop opens nothing; after close() every way in raises."""
    loop = VirtualTimeLoop()
    assert not hasattr(loop, "_selector")
    assert not hasattr(loop, "_ssock")
    loop.close()
    for call in (loop.call_soon, lambda f: loop.call_later(1, f), lambda f: loop.call_at(1, f)):
        with pytest.raises(RuntimeError, match="closed"):
            call(print)


def test_stop_ends_a_run_without_moving_the_clock() -> None:
    """A loop stopped before it starts runs one turn, as asyncio's does, and waits for nothing."""
    loop = VirtualTimeLoop()
    ran: list[str] = []
    loop.call_soon(ran.append, "soon")
    loop.call_later(5, ran.append, "later")
    loop.stop()
    loop.run_forever()
    assert ran == ["soon"]
    loop.call_later(5, loop.stop)
    loop.run_forever()
    assert ran == ["soon", "later"]
    assert loop.time() == 5.0
    assert repr(loop) == "<VirtualTimeLoop time=5s ready=0 timers=0 closed=False>"
    loop.close()


# The decorator


@pytest.fixture
def greeting() -> str:
    return "hello"


@pytest.mark.parametrize("times", [1, 2])
@virtual
async def test_a_virtual_test_takes_fixtures_and_parameters(greeting: str, times: int) -> None:
    """@virtual keeps the test's signature."""
    assert greeting * times in ("hello", "hellohello")
    assert isinstance(asyncio.get_running_loop(), VirtualTimeLoop)


@pytest.mark.parametrize("enabled", [False, True])
def test_whether_it_debugs_is_as_it_was_told(enabled: bool) -> None:
    """Futures and tasks ask the loop, which answers each time as it was told last."""
    loop = VirtualTimeLoop()
    try:
        loop.set_debug(not enabled)
        loop.set_debug(enabled)
        assert loop.get_debug() is enabled
        # With debugging on, each future remembers where it was made.
        assert bool(loop.create_future()._source_traceback) is enabled  # type: ignore[attr-defined]
    finally:
        loop.close()
