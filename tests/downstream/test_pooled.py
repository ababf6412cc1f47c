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
