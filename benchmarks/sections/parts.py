"""The parts alone: a call through a breaker, a job through a queue, a hit in a cache.

*Breakers*: a call that succeeds, through a closed breaker, each used as its documentation shows for
coroutines; purgatory's is fetched once and kept. Ours stands as the service uses it, with two calls
around the await, and circuitbreaker, hyx and aiobreaker wrap the function, which costs them a call
more. All peers count failures in a row; bpdemo's keeps a rolling window with a ratio, and permits
for its probes. The bare await that every one of them contains is measured beside them, and the aim
is on what each adds to it; the ratio with the await left in stands below. *Queues*: one task puts
and another takes, with room for 64, and both wait when they must; ours also tells how long each job
waited, and may be asked to shed. *Caches*: a hit. cachetools alone neither loads, nor joins those
who ask at once, nor counts hits.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import cachetools

from benchmarks.measured import Aim, Found, Report, Say, Size, Table, interleaved, ratio
from bpdemo.assembly.slices import tuning
from bpdemo.core.events import Event
from bpdemo.core.settings import Settings
from bpdemo.flow.breaker import Breaker
from bpdemo.flow.cache import ReadThroughCache
from bpdemo.flow.queue import BoundedQueue

OURS, BARE = "bpdemo", "bare await"
ROOM = 64
Timed = Callable[[int], Awaitable[float]]


class Deaf:
    """An observer of no cost: the part alone is measured."""

    def observe(self, event: Event, /) -> None:
        pass


def measure(size: Size, say: Say) -> Found:
    calls = size.calls
    rounds = 9 * size.rounds  # many short ones: a busy moment of the machine then spoils few
    breakers = _figures(_breakers(), rounds, calls, say)
    queues = _figures({OURS: _our_queue, "asyncio.Queue": _asyncio_queue}, rounds, calls, say)
    caches = _figures({OURS: _our_cache, "cachetools alone": _plain_cache}, rounds, calls, say)
    peers = [name for name in breakers if name not in (OURS, BARE)]
    fastest = min(peers, key=lambda name: statistics.median(breakers[name]))
    with_await = statistics.median(ratio(breakers, OURS, fastest))
    return Found(
        Report(
            title="The parts",
            what=__doc__ or "",
            logs="off",
            tables=[
                Table.of_one("A call through a breaker", "ns a call", breakers),
                Table.of_one("A job through a queue", "ns a put and a take", queues),
                Table.of_one("A hit in a cache", "ns a hit", caches),
            ],
            aims=[
                Aim(
                    text=f"the breaker adds at most 0.4 of what the fastest peer adds ({fastest})",
                    values=ratio(breakers, OURS, fastest, less=BARE),
                    at_most=0.4,
                ),
                Aim(
                    text="a job through the queue at most 1.25 times asyncio.Queue",
                    values=ratio(queues, OURS, "asyncio.Queue"),
                    at_most=1.25,
                ),
            ],
            notes=[f"the breaker beside {fastest}, bare await left in: {with_await:.2f}"],
        )
    )


def _figures(
    contenders: dict[str, Timed], rounds: int, calls: int, say: Say
) -> dict[str, list[float]]:
    timed = {name: partial(_per_call_ns, run, calls) for name, run in contenders.items()}
    return interleaved(timed, rounds, say)


def _per_call_ns(run: Timed, calls: int) -> float:
    return asyncio.run(run(calls)) / calls  # type: ignore[arg-type]


async def work() -> int:
    return 1


async def _repeat(call: Callable[[], Awaitable[object]], calls: int) -> float:
    began_ns = time.perf_counter_ns()
    for _ in range(calls):
        await call()
    return time.perf_counter_ns() - began_ns


def _breakers() -> dict[str, Timed]:
    import aiobreaker
    import circuitbreaker
    from hyx.circuitbreaker import consecutive_breaker

    aio = aiobreaker.CircuitBreaker(fail_max=5, timeout_duration=timedelta(seconds=5))
    return {
        BARE: partial(_repeat, work),
        OURS: _our_breaker,
        "purgatory": _purgatory,
        "circuitbreaker": partial(_repeat, circuitbreaker.CircuitBreaker(name="payment")(work)),
        "hyx": partial(_repeat, consecutive_breaker()(work)),
        "aiobreaker": partial(_repeat, aio(work)),
        "pybreaker": _pybreaker,
    }


async def _our_breaker(calls: int) -> float:
    breaker = Breaker(tuning(Settings()).breaker, "payment", time.monotonic, Deaf())
    began_ns = time.perf_counter_ns()
    for _ in range(calls):
        permit = breaker.acquire()
        try:
            await work()
        except Exception:
            breaker.failure(permit)
            raise
        breaker.success(permit)
    return time.perf_counter_ns() - began_ns


async def _purgatory(calls: int) -> float:
    import purgatory

    breaker = await purgatory.AsyncCircuitBreakerFactory().get_breaker("payment")
    began_ns = time.perf_counter_ns()
    for _ in range(calls):
        async with breaker:
            await work()
    return time.perf_counter_ns() - began_ns


async def _pybreaker(calls: int) -> float:
    import pybreaker

    breaker = pybreaker.CircuitBreaker(fail_max=5)
    began_ns = time.perf_counter_ns()
    for _ in range(calls):
        with breaker.calling():
            await work()
    return time.perf_counter_ns() - began_ns


async def _our_queue(jobs: int) -> float:
    queue: BoundedQueue[int] = BoundedQueue(
        replace(tuning(Settings()).queue, capacity=ROOM),
        idle=lambda: 0,
        clock=time.monotonic,
        on_shed=lambda _job, _waited_s: None,
    )

    async def take_all() -> None:
        for _ in range(jobs):
            await queue.take()
            queue.place_freed()

    taker = asyncio.create_task(take_all())
    began_ns = time.perf_counter_ns()
    for job in range(jobs):
        await queue.put(job, 10.0)
    await taker
    return time.perf_counter_ns() - began_ns


async def _asyncio_queue(jobs: int) -> float:
    queue: asyncio.Queue[int] = asyncio.Queue(ROOM)

    async def take_all() -> None:
        for _ in range(jobs):
            await queue.get()

    taker = asyncio.create_task(take_all())
    began_ns = time.perf_counter_ns()
    for job in range(jobs):
        await queue.put(job)
    await taker
    return time.perf_counter_ns() - began_ns


async def _our_cache(calls: int) -> float:
    cache: ReadThroughCache[int, int] = ReadThroughCache(
        tuning(Settings()).cache, time.monotonic, Deaf()
    )
    await cache.get(1, work)
    return await _repeat(lambda: cache.get(1, work), calls)


async def _plain_cache(calls: int) -> float:
    cache: cachetools.TTLCache[int, int] = cachetools.TTLCache(1024, 35, timer=time.monotonic)
    cache[1] = 1

    async def get() -> int:
        return cache[1]

    return await _repeat(get, calls)
