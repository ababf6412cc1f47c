"""The cache loads once for all who ask, survives an outage, and never fills with old news."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bpdemo.core.errors import (
    CircuitOpen,
    DeadlineExceeded,
    DependencyError,
    DownstreamFailed,
    NotFound,
)
from bpdemo.core.events import CacheAsked, CacheResult
from bpdemo.flow.cache import CachePolicy, LoadBrokeOff, ReadThroughCache
from tests.flow.helpers import Ears, Stage, now, settle
from tests.support.policies import usual
from tests.support.virtual import virtual

POLICY = CachePolicy(ttl_s=5, stale_s=30, capacity=4)
Load = Callable[[], Awaitable[str]]


class Bench:
    """A cache on the running loop's clock, before a store that may be slow or down."""

    def __init__(self, policy: CachePolicy = POLICY) -> None:
        self.ears = Ears()
        self.cache: ReadThroughCache[str, str] = ReadThroughCache(
            policy, asyncio.get_running_loop().time, self.ears
        )
        self.loads = 0
        self.cancelled = 0
        self.latency_s = 0.0
        self.error: BaseException | None = None

    @property
    def results(self) -> list[CacheResult]:
        return [event.result for event in self.ears.heard(CacheAsked)]

    async def load(self) -> str:
        self.loads += 1
        value = f"v{self.loads}"
        try:
            await asyncio.sleep(self.latency_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error:
            raise self.error
        return value

    async def get(self, key: str = "a") -> tuple[str, CacheResult]:
        return await self.cache.get(key, self.load)

    def asking(self, key: str = "a") -> "asyncio.Task[tuple[str, CacheResult]]":
        return asyncio.create_task(self.get(key))


async def gone(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# Freshness


@virtual
async def test_a_value_is_fresh_for_its_ttl_and_not_a_moment_longer() -> None:
    """Loaded once, hit until then, loaded again at that very moment."""
    bench = Bench()
    assert await bench.get() == ("v1", "miss")
    await asyncio.sleep(4.999)
    assert await bench.get() == ("v1", "hit")
    await asyncio.sleep(0.001)
    assert await bench.get() == ("v2", "miss")
    assert bench.results == ["miss", "hit", "miss"]


@virtual
async def test_peek_hits_only_what_is_fresh() -> None:
    """A hit without a coroutine is counted; a miss is left to `get`."""
    bench = Bench()
    assert bench.cache.peek("a") is None
    await bench.get()
    assert bench.cache.peek("a") == "v1"
    await asyncio.sleep(5)
    assert bench.cache.peek("a") is None
    assert bench.results == ["miss", "hit"]


@virtual
async def test_with_ttl_zero_nothing_is_fresh_but_callers_still_share_a_load() -> None:
    """Each call loads; those at the same moment do so together."""
    bench = Bench(usual(CachePolicy, ttl_s=0, stale_s=0))
    bench.latency_s = 1
    assert [await bench.get(), await bench.get()] == [("v1", "miss"), ("v2", "miss")]
    assert bench.cache.peek("a") is None
    answers = await asyncio.gather(*[bench.get() for _ in range(3)])
    assert answers == [("v3", "miss"), ("v3", "coalesced"), ("v3", "coalesced")]


@virtual
async def test_it_holds_no_more_than_its_capacity() -> None:
    """The least recently used goes first."""
    bench = Bench(usual(CachePolicy, capacity=2))
    for key in "abac":
        await bench.get(key)
    assert [bench.cache.peek(key) is None for key in "abc"] == [False, True, False]


# One load for all


@virtual
async def test_concurrent_misses_load_once() -> None:
    """No stampede when a popular entry expires."""
    bench = Bench()
    bench.latency_s = 1
    answers = await asyncio.gather(*[bench.get() for _ in range(100)])
    assert bench.loads == 1
    assert answers == [("v1", "miss")] + [("v1", "coalesced")] * 99
    assert bench.results == ["miss"] + ["coalesced"] * 99


@virtual
async def test_keys_load_apart() -> None:
    """One slow item does not keep the others waiting."""
    bench = Bench()
    bench.latency_s = 1
    await asyncio.gather(*[bench.get(key) for key in "abc"])
    assert bench.loads == 3
    assert now() == 1


@virtual
async def test_a_failed_load_fails_all_who_wait_and_is_not_kept() -> None:
    """Each is told; the next to ask tries anew."""
    bench = Bench()
    bench.latency_s, bench.error = 1, DependencyError()
    answers = await asyncio.gather(*[bench.get() for _ in range(3)], return_exceptions=True)
    assert [type(answer) for answer in answers] == [DependencyError] * 3
    assert bench.loads == 1
    bench.error = None
    assert await bench.get() == ("v2", "miss")


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
@virtual
async def test_a_load_that_would_end_the_process_fails_those_who_wait(error: BaseException) -> None:
    """It runs in a task of its own, out of which such an error would leave through the loop."""
    bench = Bench()
    bench.error = error
    waiting = [bench.asking() for _ in range(2)]
    await settle()
    for task in waiting:
        with pytest.raises(LoadBrokeOff):
            await task
    bench.error = None
    assert await bench.get() == ("v2", "miss")


# Those who leave


@virtual
async def test_a_leaver_does_not_take_the_load_away() -> None:
    """Not even the one who began it."""
    bench = Bench()
    bench.latency_s = 1
    first, second = bench.asking(), bench.asking()
    await settle()
    await gone(first)
    assert await second == ("v1", "coalesced")
    assert bench.cancelled == 0
    assert bench.cache.peek("a") == "v1"


@virtual
async def test_the_last_leaver_cancels_the_load() -> None:
    """Work nobody waits for does not go on; the next one starts afresh."""
    bench = Bench()
    bench.latency_s = 1
    askers = [bench.asking() for _ in range(3)]
    await settle()
    for asker in askers:
        await gone(asker)
    await settle()
    assert bench.cancelled == 1
    assert await bench.get() == ("v2", "miss")


@virtual
async def test_whoever_asks_in_the_moment_of_the_cancellation_gets_a_load_of_his_own() -> None:
    """They must not join one that is already lost."""
    bench = Bench()
    bench.latency_s = 1
    leaver = bench.asking()
    await settle()
    leaver.cancel()
    newcomer = bench.asking()
    await asyncio.wait([leaver])
    assert await newcomer == ("v2", "miss")


@virtual
async def test_leaving_in_the_turn_the_load_begins_leaves_nothing_behind() -> None:
    """The earliest moment there is: the load is cancelled, and the next one is a new one."""
    bench = Bench()
    leaver = bench.asking()
    await asyncio.sleep(0)
    await gone(leaver)
    await settle()
    assert bench.loads == bench.cancelled
    assert await bench.get() == (f"v{bench.loads}", "miss")


@virtual
async def test_a_failure_that_everybody_left_disturbs_nobody() -> None:
    """No complaint of an exception never retrieved: the loop's handler stays silent."""
    bench = Bench()
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    flown = asyncio.Event()

    async def stubborn() -> str:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            flown.set()
            raise DependencyError from None
        return "never"

    leaver = asyncio.create_task(bench.cache.get("a", stubborn))
    await settle()
    await gone(leaver)
    await flown.wait()
    await settle()
    assert complaints == []


# A load that ends cancelled, though nobody has asked for that


def cancelling(how: str, bench: Bench) -> Load:
    """A load that ends cancelled of its own, after a second."""

    async def load() -> str:
        bench.loads += 1
        await asyncio.sleep(1)
        if how == "raises":
            raise asyncio.CancelledError
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(1)
        return "never"

    return load


@pytest.mark.parametrize("how", ["raises", "cancels its own task"])
@virtual
async def test_a_load_that_ends_cancelled_of_its_own_cancels_nobody(how: str) -> None:
    """All who wait are told that it failed; the next to ask gets a load that works."""
    bench = Bench()
    load = cancelling(how, bench)
    callers = [asyncio.create_task(bench.cache.get("a", load)) for _ in range(3)]
    await asyncio.wait(callers)
    assert [type(caller.exception()) for caller in callers] == [DownstreamFailed] * 3
    assert bench.loads == 1
    assert await bench.get() == ("v2", "miss")
    assert bench.results == ["miss", "coalesced", "coalesced", "miss"]


@pytest.mark.parametrize("how", ["raises", "cancels its own task"])
@virtual
async def test_a_load_that_ends_cancelled_of_its_own_is_an_outage(how: str) -> None:
    """So a stale value is served, to each who waits, where one is at hand."""
    bench = Bench()
    await bench.get()
    await asyncio.sleep(6)
    load = cancelling(how, bench)
    answers = await asyncio.gather(*[bench.cache.get("a", load) for _ in range(3)])
    assert answers == [("v1", "stale")] * 3


@virtual
async def test_a_load_that_somebody_else_cancels_before_it_begins_leaves_nothing_behind() -> None:
    """Its callers are told, and the key is not blocked for those who come later."""
    bench = Bench()
    tasks = asyncio.all_tasks()
    caller = bench.asking()
    await asyncio.sleep(0)
    (load,) = asyncio.all_tasks() - tasks - {caller}
    load.cancel()
    with pytest.raises(DownstreamFailed):
        await caller
    assert bench.loads == 0
    assert await bench.get() == ("v1", "miss")


@pytest.mark.parametrize("how", ["raises", "cancels its own task"])
@virtual
async def test_a_caller_cancelled_in_the_moment_its_load_is_cancelled_is_cancelled(
    how: str,
) -> None:
    """And that one alone: the other is told of the failure. In whichever turn it comes."""
    for turns in range(6):
        bench = Bench()
        load = cancelling(how, bench)
        leaver, stayer = (asyncio.create_task(bench.cache.get("a", load)) for _ in range(2))
        await asyncio.sleep(1)
        for _ in range(turns):
            await asyncio.sleep(0)
        if not leaver.done():
            leaver.cancel()
            await asyncio.wait([leaver])
            assert leaver.cancelled()
        await asyncio.wait([stayer])
        assert isinstance(stayer.exception(), DownstreamFailed)


@virtual
async def test_a_caller_who_survived_a_cancellation_before_is_told_the_same() -> None:
    """What counts is whether somebody asked for its end while it waited, not ever."""
    bench = Bench()
    load = cancelling("raises", bench)

    async def survivor() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await bench.cache.get("a", load)

    caller = asyncio.create_task(survivor())
    await settle()
    caller.cancel()
    with pytest.raises(DownstreamFailed):
        await caller


@virtual
async def test_a_load_that_raises_generator_exit_closes_nobody() -> None:
    """It would close the coroutines of those who wait, one inside the other."""
    bench = Bench()
    bench.error = GeneratorExit()
    waiting = [bench.asking() for _ in range(2)]
    await asyncio.wait(waiting)
    assert [type(task.exception()) for task in waiting] == [LoadBrokeOff] * 2


# While the store is down


@pytest.mark.parametrize("error", [DependencyError(), CircuitOpen()])
@virtual
async def test_while_the_store_is_down_a_stale_value_is_served_for_a_while(
    error: Exception,
) -> None:
    """Up to ttl + stale after it was loaded, and then the failure shows."""
    bench = Bench()
    await bench.get()
    bench.error = error
    await asyncio.sleep(5)
    assert await bench.get() == ("v1", "stale")
    await asyncio.sleep(29.9)
    assert await bench.get() == ("v1", "stale")
    await asyncio.sleep(0.1)
    with pytest.raises(type(error)):
        await bench.get()
    assert bench.results == ["miss", "stale", "stale", "miss"]


@virtual
async def test_a_value_that_grows_too_old_during_the_load_is_not_served() -> None:
    """The age counts when it is handed out, not when it was asked for."""
    bench = Bench()
    await bench.get()
    await asyncio.sleep(34.5)
    bench.latency_s, bench.error = 1, DependencyError()
    with pytest.raises(DependencyError):
        await bench.get()


@virtual
async def test_all_who_wait_for_a_failed_load_get_the_stale_value() -> None:
    """Those who joined as well as the one who began."""
    bench = Bench()
    await bench.get()
    await asyncio.sleep(6)
    bench.latency_s, bench.error = 1, DependencyError()
    answers = await asyncio.gather(*[bench.get() for _ in range(3)])
    assert answers == [("v1", "stale")] * 3
    assert bench.loads == 2


@pytest.mark.parametrize("error", [NotFound(), DeadlineExceeded(), ValueError()])
@virtual
async def test_what_is_no_outage_is_not_papered_over(error: Exception) -> None:
    """That an item is gone is news; a bug is one."""
    bench = Bench()
    await bench.get()
    await asyncio.sleep(6)
    bench.error = error
    with pytest.raises(type(error)):
        await bench.get()


# Invalidation


@virtual
async def test_an_invalidated_value_is_loaded_again() -> None:
    """Also a key that was never there may be invalidated."""
    bench = Bench()
    await bench.get()
    bench.cache.invalidate("a")
    bench.cache.invalidate("never seen")
    assert bench.cache.peek("a") is None
    assert await bench.get() == ("v2", "miss")


@virtual
async def test_a_load_that_began_before_an_invalidation_does_not_fill() -> None:
    """It answers those who wait for it; anyone who comes later gets a load of their own."""
    bench = Bench()
    bench.latency_s = 1
    early = bench.asking()
    await asyncio.sleep(0.5)
    bench.cache.invalidate("a")
    later = bench.asking()
    assert await early == ("v1", "miss")
    assert bench.cache.peek("a") is None
    assert await later == ("v2", "miss")
    assert bench.cache.peek("a") == "v2"


@virtual
async def test_an_older_load_that_ends_later_does_not_overwrite() -> None:
    """The one that began after the invalidation has the last word."""
    bench = Bench()
    bench.latency_s = 2
    early = bench.asking()
    await settle()
    bench.cache.invalidate("a")
    bench.latency_s = 1
    assert await bench.get() == ("v2", "miss")
    assert await early == ("v1", "miss")
    assert bench.cache.peek("a") == "v2"


@virtual
async def test_an_invalidated_value_is_not_served_stale() -> None:
    """Not even to one who asked before: what is known to be wrong is no stopgap."""
    bench = Bench()
    await bench.get()
    await asyncio.sleep(6)
    bench.latency_s, bench.error = 1, DependencyError()
    asker = bench.asking()
    await settle()
    bench.cache.invalidate("a")
    with pytest.raises(DependencyError):
        await asker


# Retuning


@virtual
async def test_retuning_keeps_what_is_there_and_judges_it_anew() -> None:
    """Longer or shorter, the ttl counts from the load."""
    bench = Bench()
    await bench.get()
    await asyncio.sleep(4)
    bench.cache.retune(usual(CachePolicy, ttl_s=10, stale_s=30))
    await asyncio.sleep(5)
    assert bench.cache.peek("a") == "v1"
    bench.cache.retune(usual(CachePolicy, ttl_s=8, stale_s=0.5))
    assert bench.cache.peek("a") is None
    bench.error = DependencyError()
    with pytest.raises(DependencyError):  # 9 s old, and 8.5 s is all there is
        await bench.get()


@virtual
async def test_a_smaller_capacity_drops_the_surplus() -> None:
    """And a larger one makes room."""
    bench = Bench()
    for key in "abcd":
        await bench.get(key)
    bench.cache.retune(usual(CachePolicy, capacity=2))
    assert sum(bench.cache.peek(key) is not None for key in "abcd") == 2
    bench.cache.retune(usual(CachePolicy, capacity=6))
    for key in "abcdef":
        await bench.get(key)
    assert all(bench.cache.peek(key) for key in "abcdef")


@pytest.mark.parametrize(
    "policy",
    [
        usual(CachePolicy, capacity=2),
        usual(CachePolicy, capacity=3),
        usual(CachePolicy, capacity=5, ttl_s=6),
        usual(CachePolicy, capacity=4, stale_s=31),
        usual(CachePolicy, capacity=1),
    ],
    ids=str,
)
@pytest.mark.parametrize("used", ["abcd", "dcba", "acbd", "bbda", "ccc"])
@virtual
async def test_retuning_keeps_the_order_of_use(policy: CachePolicy, used: str) -> None:
    """Those used last stay; and whatever is loaded later pushes out those used least recently."""
    bench = Bench(usual(CachePolicy, capacity=4))
    for key in "abcd" + used:
        await bench.get(key)
    oldest_first = sorted("abcd", key=("abcd" + used).rindex)
    bench.cache.retune(policy)
    kept = oldest_first[-policy.capacity :]
    for number in range(policy.capacity + 1):
        there = list(bench.cache._entries)  # looking at them is no use of them
        assert set("abcd") & set(there) == set(kept)
        assert len(there) <= policy.capacity
        if len(there) == policy.capacity:
            kept = kept[1:]
        await bench.get(f"new {number}")


@virtual
async def test_retuning_makes_nothing_younger() -> None:
    """What has been dead for a while takes no room from what may still be served."""
    bench = Bench(CachePolicy(ttl_s=5, stale_s=5, capacity=2))
    await bench.get("old")
    await asyncio.sleep(6)
    await bench.get("young")
    bench.error = DependencyError()
    assert (await bench.get("old"))[1] == "stale"  # so that it is the one used last
    bench.cache.retune(CachePolicy(ttl_s=5, stale_s=6, capacity=2))
    bench.error = None
    await asyncio.sleep(5.5)
    await bench.get("new")
    bench.error = DependencyError()
    assert (await bench.get("young"))[1] == "stale"


@virtual
async def test_retuning_during_a_load_neither_loses_nor_doubles_it() -> None:
    """Those who wait get it, and it fills."""
    bench = Bench()
    bench.latency_s = 1
    asker = bench.asking()
    await asyncio.sleep(0.5)
    bench.cache.retune(usual(CachePolicy, ttl_s=9))
    assert await bench.get() == ("v1", "coalesced")
    assert await asker == ("v1", "miss")
    assert bench.cache.peek("a") == "v1"


@pytest.mark.parametrize("wrong", [{"ttl_s": -1}, {"stale_s": -1}, {"capacity": 0}], ids=str)
def test_a_policy_that_cannot_be_is_refused_when_made(wrong: dict[str, Any]) -> None:
    """A slice is validated when made."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        usual(CachePolicy, **wrong)


# Any history whatever


@dataclass(eq=False)
class Flight:
    """A load that the machine lets end when it likes; it read `version` when it began."""

    key: str
    version: int
    answer: "asyncio.Future[str]"


@dataclass(eq=False)
class Asker:
    """A caller, and the truth at the time they asked."""

    key: str
    version: int
    task: "asyncio.Task[tuple[tuple[str, int, float], CacheResult]]"
    has_left: bool = False


KEYS = st.sampled_from("ab")


class CacheMachine(RuleBasedStateMachine):
    """Values carry the version that was read and when the load ended, so each answer tells."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.policy = POLICY
        self.ears = Ears()
        self.cache: ReadThroughCache[str, tuple[str, int, float]] = ReadThroughCache(
            POLICY, self.stage.loop.time, self.ears
        )
        self.version = {"a": 0, "b": 0}
        self.flights: list[Flight] = []
        self.askers: list[Asker] = []

    @property
    def now(self) -> float:
        return self.stage.loop.time()

    @rule(key=KEYS, at_rest=st.booleans())
    def ask(self, key: str, at_rest: bool) -> None:
        async def load() -> tuple[str, int, float]:
            flight = Flight(key, self.version[key], self.stage.loop.create_future())
            self.flights.append(flight)
            try:
                await flight.answer
            finally:
                self.flights.remove(flight)
            return key, flight.version, self.now

        async def asking() -> tuple[tuple[str, int, float], CacheResult]:
            version, policy = self.version[key], self.policy
            value, result = await self.cache.get(key, load)
            self.judge(key, version, value, result, policy)
            return value, result

        task = self.stage.spawn(asking())
        self.askers.append(Asker(key, self.version[key], task))
        if at_rest:
            self.stage.settle()

    def judge(
        self,
        key: str,
        version: int,
        value: tuple[str, int, float],
        result: CacheResult,
        policy: CachePolicy,
    ) -> None:
        loaded_key, loaded_version, loaded_s = value
        assert loaded_key == key
        assert loaded_version >= version, "served what was invalid when it was asked for"
        age_s = self.now - loaded_s
        if result == "hit":
            assert age_s < policy.ttl_s
        elif result == "stale":
            assert age_s < self.policy.ttl_s + self.policy.stale_s
            assert loaded_version == self.version[key], "served stale what was invalidated"
        else:
            assert age_s == 0

    @rule(key=KEYS)
    def peek(self, key: str) -> None:
        value = self.cache.peek(key)
        if value is not None:
            self.judge(key, self.version[key], value, "hit", self.policy)

    @precondition(lambda self: self.flights)
    @rule(data=st.data(), how=st.sampled_from(["answers", "answers", "fails", "is cancelled"]))
    def land(self, data: st.DataObject, how: str) -> None:
        self.stage.settle()
        if not self.flights:
            return
        flight = data.draw(st.sampled_from(self.flights))
        match how:
            case "answers":
                flight.answer.set_result("")
            case "fails":
                flight.answer.set_exception(DependencyError())
            case _:
                flight.answer.cancel()
        self.stage.settle()
        if how == "answers" and flight.version == self.version[flight.key] and self.policy.ttl_s:
            assert self.cache.peek(flight.key) == (flight.key, flight.version, self.now)

    @precondition(lambda self: self.askers)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        asker = data.draw(st.sampled_from(self.askers))
        asker.has_left = True
        asker.task.cancel()

    @rule(key=KEYS)
    def invalidate(self, key: str) -> None:
        self.stage.turn()  # anyone who has asked has asked before
        self.version[key] += 1
        self.cache.invalidate(key)
        assert self.cache.peek(key) is None

    @rule(
        policy=st.builds(
            usual,
            st.just(CachePolicy),
            ttl_s=st.sampled_from([0.0, 2.0, 5.0]),
            stale_s=st.sampled_from([0.0, 7.0, 30.0]),
            capacity=st.integers(1, 2),
        )
    )
    def retune(self, policy: CachePolicy) -> None:
        self.stage.settle()
        self.policy = policy
        self.cache.retune(policy)

    @rule(by_s=st.sampled_from([1.0, 2.0, 3.0, 10.0]))
    def pass_time(self, by_s: float) -> None:
        self.stage.advance(by_s)

    @rule()
    def turn(self) -> None:
        self.stage.turn()

    @rule()
    def rest(self) -> None:
        """At rest, every load has somebody who waits, and no key is loaded twice at once."""
        self.stage.settle()
        loads = [(flight.key, flight.version) for flight in self.flights]
        assert len(loads) == len(set(loads))
        waiting = [asker for asker in self.askers if not asker.task.done()]
        assert {key for key, _ in loads} == {asker.key for asker in waiting}

    @invariant()
    def every_answer_stands_to_judgement(self) -> None:
        for asker in [asker for asker in self.askers if asker.task.done()]:
            self.askers.remove(asker)
            if asker.task.cancelled():
                assert asker.has_left, "cancelled, and had not left"
                continue
            error = asker.task.exception()
            if error is not None and not isinstance(error, DependencyError | DownstreamFailed):
                raise error

    def teardown(self) -> None:
        for asker in self.askers:
            asker.task.cancel()
        self.stage.settle()
        assert not self.flights, "a load outlived all who wanted it"
        self.stage.close()


TestCacheMachine = CacheMachine.TestCase
