"""The bounded pool before the store in memory: as many at once as it has connections, first come
first served, and every connection comes back."""

import asyncio
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpdemo.assembly.office import Assembly
from bpdemo.core.errors import PoolExhausted
from bpdemo.core.events import Event, PoolWaited
from bpdemo.core.ports import SilentObserver
from bpdemo.core.settings import Settings
from bpdemo.downstream.faults import FaultPolicy
from bpdemo.downstream.memory import MemoryStore
from bpdemo.downstream.pooled import ConnectionPool, PooledStore
from bpdemo.sim import virtual_time


class Heard:
    def __init__(self) -> None:
        self.waits_s: list[float] = []

    def observe(self, event: Event) -> None:
        assert isinstance(event, PoolWaited)
        self.waits_s.append(event.wait_s)


def store(
    size: int, acquire_timeout_s: float, latency_s: float, heard: Heard | None = None
) -> PooledStore:
    policy = FaultPolicy(latency_s=latency_s, failure_rate=0.0, hang_rate=0.0, outage=False)
    pool = ConnectionPool(size, acquire_timeout_s, heard or SilentObserver())
    return PooledStore(MemoryStore(10), policy, Random(1), pool)


def test_no_more_at_once_than_connections_and_the_rest_in_turn() -> None:
    """Five calls of a second at two connections end two by two, in the order in which they came."""

    async def scene() -> None:
        heard = Heard()
        shop, ended = store(2, 0.0, 1.0, heard), []

        async def read(number: int) -> None:
            await shop.find_item(number)
            ended.append((number, asyncio.get_running_loop().time()))

        async with asyncio.TaskGroup() as group:
            for number in range(1, 6):
                group.create_task(read(number))
        assert ended == [(1, 1.0), (2, 1.0), (3, 2.0), (4, 2.0), (5, 3.0)]
        assert heard.waits_s == [0.0, 0.0, 1.0, 1.0, 2.0]
        assert shop.pool.counts() == {"idle": 2, "busy": 0}

    virtual_time.run(scene())


def test_those_who_wait_too_long_are_told() -> None:
    """`PoolExhausted`, at the time that they had; the one that has the connection is served."""

    async def scene() -> None:
        shop = store(1, 0.2, 1.0)
        first = asyncio.create_task(shop.find_item(1))
        await asyncio.sleep(0.1)
        assert shop.pool.counts() == {"idle": 0, "busy": 1}
        with pytest.raises(PoolExhausted):
            await shop.find_item(2)
        assert asyncio.get_running_loop().time() == pytest.approx(0.3)
        assert await first is not None

    virtual_time.run(scene())


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 3),
    st.sampled_from([0.0, 0.3]),
    st.lists(st.tuples(st.floats(0, 3).map(lambda s: round(s, 2)), st.floats(0, 2)), max_size=12),
)
def test_every_connection_comes_back(
    size: int, acquire_timeout_s: float, calls: list[tuple[float, float]]
) -> None:
    """Callers come at any time and leave at any time: while they wait, while they hold one, at the
    very moment in which it is handed to them. In the end all are idle, and the next is served."""

    async def scene() -> None:
        shop = store(size, acquire_timeout_s, 0.5)

        async def call(at_s: float, patience_s: float) -> None:
            await asyncio.sleep(at_s)
            try:
                async with asyncio.timeout(patience_s):
                    await shop.find_item(1)
            except (TimeoutError, PoolExhausted):
                pass
            assert 0 <= shop.pool.counts()["busy"] <= size

        await asyncio.gather(*(call(*each) for each in calls))
        assert shop.pool.counts() == {"idle": size, "busy": 0}
        assert await shop.find_item(1) is not None

    virtual_time.run(scene())


class Observant:
    """An observer with a bug, from when it is `broken`."""

    def __init__(self, *, broken: bool) -> None:
        self.broken = broken

    def observe(self, event: Event) -> None:
        if self.broken:
            raise ZeroDivisionError


@pytest.mark.parametrize("waits", [False, True])
def test_an_observer_that_raises_loses_no_connection(waits: bool) -> None:
    """Whether its caller got one at once or after a wait: it is told of the bug, holds none, and
    the next one has it."""

    async def scene() -> None:
        observer = Observant(broken=not waits)
        pool = ConnectionPool(1, 0.5, observer)
        calls = [asyncio.create_task(pool.acquire()) for _ in range(3)]
        await asyncio.sleep(0.1)
        if waits:
            observer.broken = True
            pool.release()
        told = await asyncio.gather(*calls, return_exceptions=True)
        kinds = [type(each) for each in told]
        assert kinds == [type(None) if waits else ZeroDivisionError] + [ZeroDivisionError] * 2
        assert pool.counts() == {"idle": 1, "busy": 0}
        observer.broken = False
        await pool.acquire()
        assert pool.counts() == {"idle": 0, "busy": 1}

    virtual_time.run(scene())


@pytest.mark.parametrize("leaves", ["told in vain", "cancelled"])
def test_an_observer_that_raises_hides_no_end_of_a_wait(leaves: str) -> None:
    """Who waited too long hears so, and who was cancelled is."""

    async def scene() -> None:
        observer = Observant(broken=False)
        pool = ConnectionPool(1, 0.5, observer)
        await pool.acquire()
        observer.broken = True
        call = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0.1)
        if leaves == "cancelled":
            call.cancel()
        with pytest.raises(asyncio.CancelledError if leaves == "cancelled" else PoolExhausted):
            await call
        pool.release()
        assert pool.counts() == {"idle": 1, "busy": 0}

    virtual_time.run(scene())


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3), st.lists(st.sampled_from(["call", "release", "cancel", "run"])))
def test_what_is_handed_on_is_never_counted_as_idle(size: int, steps: list[str]) -> None:
    """At every step, the loop having run or not: as many are busy as were lent and not given back,
    the one that is promised to a task among them; none is idle while somebody waits for it."""

    async def scene() -> None:
        pool, released = ConnectionPool(size, 0.0, SilentObserver()), 0
        calls: list[asyncio.Task[None]] = []
        for step in steps:
            held = [each for each in calls if each.done() and not each.cancelled()]
            waiting = [each for each in calls if not each.done()]
            if step == "call":
                calls.append(asyncio.create_task(pool.acquire()))
                await asyncio.sleep(0)
            elif step == "release" and len(held) > released:
                pool.release()
                released += 1
            elif step == "cancel" and waiting:
                waiting[0].cancel()
            elif step == "run":
                await asyncio.sleep(1)
            wanted = [each for each in calls if not each.cancelled() and not each.cancelling()]
            busy = pool.counts()["busy"]
            assert busy >= min(size, len(wanted) - released)
            assert pool.counts() == {"idle": size - busy, "busy": busy}
            if step == "run":
                assert busy == min(size, len(wanted) - released)
        for each in calls:
            each.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    virtual_time.run(scene())


def test_the_service_has_the_pool_that_its_settings_ask_for() -> None:
    """In memory as before a database: so many connections, told as the metrics show them; and none
    where nobody asked for a pool."""

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        assembly = Assembly(Settings(pool_max=3, seed=1), clock=loop.time)
        await assembly.office.start()
        assert assembly.office.snapshot().connections == {"idle": 3, "busy": 0}
        await assembly.office.stop()
        unasked = Assembly(Settings(seed=1), clock=loop.time)
        assert unasked.office.snapshot().connections == {}

    virtual_time.run(scene())
