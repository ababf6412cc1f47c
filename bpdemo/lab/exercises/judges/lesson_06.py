"""The exercises of lesson 06: one load for a crowd, how old is too old, connections in a deploy."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from bpdemo.lab.exercises.exercise import Exercise, NotYet

# -- 06a ------------------------------------------------------------------------------------

CROWD = 50
LOAD_S = 0.2


class SlowStore:
    """A store that takes its time, counts who asks and how many at once, and may be down."""

    def __init__(self) -> None:
        self.loads = 0
        self.at_once = 0
        self.most_at_once = 0
        self.is_down = False

    async def load(self, key: str) -> str:
        from bpdemo.core.errors import DependencyError

        self.loads += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(LOAD_S)
        finally:
            self.at_once -= 1
        if self.is_down:
            raise DependencyError
        return f"{key}, load {self.loads}"


def judge_get(get: Any) -> str:
    """Crowds at a key under virtual time: together, again, at two keys, in an outage, leaving."""
    from bpdemo.sim import virtual_time

    return virtual_time.run(_judge_get(get))


async def _judge_get(get: Any) -> str:
    store, flights = SlowStore(), {}  # type: tuple[SlowStore, dict[str, Any]]
    first = await _crowd(get, store, flights, ["seats"] * CROWD)
    _judge_one_load(store)
    if others := [told for told in first if told != "seats, load 1"]:
        raise NotYet(
            expected="all callers get what was loaded.",
            seen=f"one of them got {others[0]!r}.",
            why="those who join a flight need its result as much as the caller who started it.",
            look="What does your function return to a caller who did not start the load?",
        )
    again = await _crowd(get, store, flights, ["seats"] * CROWD)
    if store.loads != 2 or any(told != "seats, load 2" for told in again):
        raise NotYet(
            expected="a crowd that comes after the load has ended causes one new load.",
            seen=f"after two such crowds, the store had been asked {_times(store.loads)} in all, "
            "and not twice.",
            why="a load that has ended and stays in `flights` is a cache that never forgets: seats "
            "that were sold yesterday stay on sale for ever.",
            look="The load must leave `flights` when it has ended: `add_done_callback` sees to "
            "that, even when no caller is waiting any more.",
        )
    await _judge_others(get)
    return (
        f"{CROWD} callers of one key caused one load; a failed load was told to all of them, and "
        "when callers left, the others still got their answer."
    )


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _judge_one_load(store: SlowStore) -> None:
    expected = f"{CROWD} callers of one key cause one load."
    if store.loads > 1 and store.most_at_once == 1:
        raise NotYet(
            expected=expected,
            seen=f"the store was asked {_times(store.loads)}, one load after another; the last "
            f"caller got an answer after {store.loads * LOAD_S:.0f} s.",
            why="a lock per key keeps loads apart, but the callers share nothing: each waits for "
            "its turn, and then loads again what the caller before has just loaded. The stampede "
            "has become a queue.",
            look="Keep the *load* under the key, not a lock: those who come while it is under way "
            "wait for the same task, and all of them get its result.",
        )
    if store.loads != 1:
        raise NotYet(
            expected=expected,
            seen=f"the store was asked {_times(store.loads)}.",
            why="this is a cache stampede: the whole crowd reaches the store just when it can bear "
            "it least.",
            look="Callers who come while a load is under way must find it in `flights` and wait "
            "for it. So put it there before the first `await`.",
        )


async def _judge_others(get: Any) -> None:
    store, flights = SlowStore(), {}  # type: tuple[SlowStore, dict[str, Any]]
    await _crowd(get, store, flights, ["stalls"] * 5 + ["balcony"] * 5)
    if store.loads != 2:
        raise NotYet(
            expected="two keys cause two loads.",
            seen=f"the store was asked {_times(store.loads)}.",
            why="a caller who asks for the balcony must not get the stalls.",
            look="Is each load kept in `flights` under its own key?",
        )
    store.is_down = True
    failed = await _crowd(get, store, flights, ["seats"] * 5)
    store.is_down = False
    back = await _crowd(get, store, flights, ["seats"])
    if any(isinstance(answer, str) for answer in failed) or not isinstance(back[0], str):
        raise NotYet(
            expected="when a load fails, all who waited for it get the exception, and the next "
            "caller starts a new load.",
            seen=_failure_told(failed),
            why="a failure that lasts a moment must neither be hidden nor live on in your cache.",
            look="Let the exception through, and remove the load from `flights` in that case too.",
        )
    await _judge_leaving(get)


def _failure_told(failed: list[Any]) -> str:
    if any(isinstance(answer, str) for answer in failed):
        return "the load failed, and a caller got an answer all the same."
    if any(not isinstance(answer, BaseException) for answer in failed):
        return "the load failed, and a caller was told nothing of it."
    return "the next caller got the exception of the load before."


async def _judge_leaving(get: Any) -> None:
    """The one who started a load leaves; one has joined it before that, another joins after."""
    store, flights = SlowStore(), {}  # type: tuple[SlowStore, dict[str, Any]]
    leaver = asyncio.ensure_future(_asked(get, "seats", flights, store))
    await asyncio.sleep(LOAD_S / 4)
    stayer = asyncio.ensure_future(_asked(get, "seats", flights, store))
    await asyncio.sleep(LOAD_S / 4)
    leaver.cancel()
    await asyncio.sleep(LOAD_S / 4)
    latecomer = asyncio.ensure_future(_asked(get, "seats", flights, store))
    await asyncio.wait({stayer, latecomer}, timeout=10 * LOAD_S)
    if not stayer.done() or stayer.cancelled() or stayer.exception():
        raise NotYet(
            expected="when one caller leaves, the others still get their answer.",
            seen="the caller who stayed got nothing: the load was cancelled together with the "
            "caller who left.",
            why="when a caller that awaits a task is cancelled, the task is cancelled as well, and "
            "this task belongs to all of them.",
            look="Let the load be a task of its own. `await asyncio.shield(task)` waits for a task "
            "and does not cancel it.",
        )
    if store.loads != 1:
        raise NotYet(
            expected="when the caller who started a load has left, newcomers still share it.",
            seen=f"the load was still under way, and a newcomer started another: {store.loads} "
            "loads.",
            why="the load left `flights` with the caller who started it, and not when it ended. "
            "The first of a crowd is also the first to time out.",
            look="Remove the load from `flights` when the load ends (`add_done_callback`), not "
            "when a caller does.",
        )


async def _crowd(get: Any, store: SlowStore, flights: dict[str, Any], keys: list[str]) -> list[Any]:
    return await asyncio.gather(
        *(_asked(get, key, flights, store) for key in keys), return_exceptions=True
    )


def _asked(get: Any, key: str, flights: dict[str, Any], store: SlowStore) -> Awaitable[Any]:
    going = get(key, flights, store.load)
    if not inspect.isawaitable(going):
        raise NotYet(
            expected="callers can `await get(key, flights, load)`.",
            seen=f"it returned {going!r}, which cannot be awaited.",
            why="a load takes a while, and meanwhile the caller has to wait without holding up "
            "everybody else.",
            look="Is the function still an `async def`?",
        )
    return going


# -- 06b ------------------------------------------------------------------------------------

ITEMS, LOOKS_PER_S = 100, 200
DAY_S, DOWN_S = 30.0, (30.0, 55.0)
MOST_LOADS_PER_S, OLDEST_S, SERVED = 25.0, 5.0, 0.95
REPLIES = {
    "b": "then everybody sees prices that are half a minute old on good days too, although the "
    "store would have a better answer.",
    "c": "then every look would ask the store: 200 loads a second, where it can take 25, and in an "
    "outage nobody would see anything.",
    "d": "an error is of no use to people who only want to know what is on. What must never be "
    "stale, such as the number of seats left, does not belong in this cache.",
}


@dataclass
class Seen:
    """What 200 people a second saw: loads on the good day, ages, and answers."""

    loads: int = 0
    oldest_s: float = 0.0
    looks_down: int = 0
    served_down: int = 0


def judge_ages(settings: Any) -> str:
    """The service's own cache under virtual time: a good day, then an outage."""
    from bpdemo.lab.exercises.judges.judging import chosen, defended
    from bpdemo.sim import virtual_time

    ttl_s, stale_s = chosen(settings, cache_ttl_s=(0, 3600), cache_stale_s=(0, 3600))
    defended(settings, right="a", replies=REPLIES, formerly="bacd")
    days = [virtual_time.run(_day(ttl_s, stale_s, seed)) for seed in range(5)]
    loads_per_s = max(day.loads for day in days) / DAY_S
    if loads_per_s > MOST_LOADS_PER_S:
        raise NotYet(
            expected=f"on a good day there are at most {MOST_LOADS_PER_S:.0f} loads a second.",
            seen=f"with a time to live of {ttl_s:g} s there were {loads_per_s:.0f} loads a second.",
            why="each item is loaded again whenever its time to live is over and somebody looks at "
            "it, and the store has no capacity for more.",
            look=f"{ITEMS} items ÷ time to live: how many loads a second is that?",
        )
    oldest_s = max(day.oldest_s for day in days)
    if oldest_s > OLDEST_S:
        raise NotYet(
            expected=f"on a good day no price is older than {OLDEST_S:.0f} s.",
            seen=f"with a time to live of {ttl_s:g} s, one was {oldest_s:.1f} s old.",
            why="somebody was shown an old price while the store could have told the new one.",
            look="Which of the two settings counts while the store answers?",
        )
    served = min(day.served_down / day.looks_down for day in days)
    if served < SERVED:
        raise NotYet(
            expected=f"in an outage of {DOWN_S[1] - DOWN_S[0]:.0f} s, {SERVED:.0%} of the people "
            "see their item.",
            seen=f"{served:.0%} of them did.",
            why="in an outage the cache is all that still works, and these settings make it throw "
            "away what it has.",
            look="How old is an item at the end of the outage if it was loaded just before?",
        )
    return (
        f"on a good day there were {loads_per_s:.0f} loads a second, and no price was older than "
        f"{oldest_s:.1f} s; in the outage {served:.0%} of the people saw their item."
    )


async def _day(ttl_s: float, stale_s: float, seed: int) -> Seen:
    from bpdemo.core.errors import DependencyError
    from bpdemo.core.ports import SilentObserver
    from bpdemo.flow.cache import CachePolicy, ReadThroughCache

    loop, chance, seen = asyncio.get_running_loop(), random.Random(seed), Seen()
    start_s = loop.time()
    policy = CachePolicy(ttl_s=ttl_s, stale_s=stale_s, capacity=1024)
    cache: ReadThroughCache[int, float] = ReadThroughCache(policy, loop.time, SilentObserver())

    async def load() -> float:
        if loop.time() - start_s >= DOWN_S[0]:
            raise DependencyError
        seen.loads += 1
        return loop.time()

    while (now_s := loop.time() - start_s) < DOWN_S[1]:
        is_down = now_s >= DOWN_S[0]
        seen.looks_down += is_down
        try:
            loaded_s, _ = await cache.get(chance.randrange(ITEMS), load)
            seen.served_down += is_down
            if not is_down:
                seen.oldest_s = max(seen.oldest_s, loop.time() - loaded_s)
        except DependencyError:
            pass
        await asyncio.sleep(chance.expovariate(LOOKS_PER_S))
    return seen


# -- 06c ------------------------------------------------------------------------------------

DEPLOYS = ((100, 10, 6, 1), (200, 20, 8, 8), (60, 5, 3, 1), (500, 30, 12, 4), (97, 7, 5, 2))
"""Connections the database allows, those kept for people, replicas, and those more in a deploy."""


def judge_pool_size(pool_size: Any) -> str:
    """Deploys, replica by replica: every pool may be full, and somebody must still get in."""
    least = 1.0
    for allowed, reserved, replicas, surge in DEPLOYS:
        size = pool_size(allowed, reserved, replicas, surge)
        if not isinstance(size, int) or isinstance(size, bool):
            raise NotYet(
                expected="the function returns a whole number of connections.",
                seen=f"it returned {size!r}.",
                why="a pool cannot hold a part of a connection.",
                look="`//` divides and rounds down.",
            )
        _judge_deploy(size, allowed, reserved, replicas, surge)
        least = min(least, size * (replicas + surge) / (allowed - reserved))
    return (
        f"in five deploys no replica was without a connection, and the pools used at least "
        f"{least:.0%} of those that are free for them."
    )


def _judge_deploy(size: int, allowed: int, reserved: int, replicas: int, surge: int) -> None:
    told = f"{allowed} connections, {replicas} replicas and {surge} more in a deploy"
    calm, deploy = size * replicas, size * (replicas + surge)
    if calm > allowed - reserved:
        raise NotYet(
            expected=f"with {told}, the {reserved} reserved connections stay free.",
            seen=f"even on a calm day the pools can take {calm}, which leaves {allowed - calm}.",
            why="in an emergency nobody can connect to the database to see what is wrong.",
            look="How many connections may all replicas have together?",
        )
    if deploy > allowed - reserved:
        raise NotYet(
            expected=f"with {told}, no replica is told *too many clients* during a deploy.",
            seen=f"the pools then need {deploy} connections, and {allowed - reserved} are free for "
            "them.",
            why="in a deploy old and new replicas run side by side, each with a pool of its own.",
            look="How many replicas are there at the worst moment?",
        )
    if deploy + replicas + surge <= allowed - reserved:
        raise NotYet(
            expected=f"with {told}, each pool is as large as it can be.",
            seen=f"the pools have {size} connections each, and {size + 1} each would fit.",
            why="orders wait for a connection while the database has some to spare.",
            look="Divide what is free for the pools by the replicas at the worst moment, and round "
            "down.",
        )


EXERCISES: dict[str, Exercise] = {
    "06a": Exercise(
        title="One load for a crowd",
        minutes=20,
        answer="get",
        parameters=("key", "flights", "load"),
        judge=judge_get,
        may_be_async=True,
        hints=(
            "The first caller finds nothing in `flights`. What must the second one find there?",
            "Keep the *task* of the load, not its result: `asyncio.ensure_future(load(key))` "
            "starts it and returns what many callers can await. It leaves `flights` when it has "
            "ended.",
            "Ten customers ask at the counter for the same seating plan. The clerk fetches it "
            "once, for all of them. When one of the customers leaves, the clerk carries on. Once "
            "the clerk is back, the next customer's question is a new errand.",
        ),
    ),
    "06b": Exercise(
        title="How old is too old",
        answer="settings",
        judge=judge_ages,
        hints=(
            "One setting counts while the store answers, the other while it does not.",
            "The time to live lies between two limits: items ÷ loads a second, and the greatest "
            "age allowed. A stale item must last for as long as an outage does.",
            "With 50 items, 10 loads a second and prices at most 8 s old, the time to live is from "
            "5 to 8 s. For an outage of a minute, items may be served stale for 60 s.",
        ),
    ),
    "06c": Exercise(
        title="Too many clients",
        answer="pool_size",
        parameters=("allowed", "reserved", "replicas", "surge"),
        judge=judge_pool_size,
        hints=(
            "Count the connections in the middle of a deploy, not on a calm day.",
            "All pools can be full at once. So share what is free for them among all the replicas "
            "that can run at the same time, and round down.",
            "With 50 connections allowed, 2 reserved, 4 replicas and 2 more in a deploy, 48 are "
            "shared by 6, which makes 8 each.",
        ),
    ),
}
