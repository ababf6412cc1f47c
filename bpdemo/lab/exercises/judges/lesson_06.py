"""The exercises of lesson 06: one load for a crowd, how old is too old, connections in a deploy."""

from __future__ import annotations

import asyncio
import random
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
    if set(first) != {"seats, load 1"}:
        raise NotYet(
            expected="all of them get what was loaded.",
            seen=f"somebody got {next(answer for answer in first if answer != 'seats, load 1')!r}.",
            why="those who join a flight came for its answer too.",
            look="What does your function return to the one who did not start the load?",
        )
    again = await _crowd(get, store, flights, ["seats"] * CROWD)
    if store.loads != 2 or set(again) != {"seats, load 2"}:
        raise NotYet(
            expected="a crowd that comes after the load has ended causes one new load.",
            seen=f"after it the store had been asked {store.loads} times in all, not twice.",
            why="a flight that has landed is no flight. If it stays in `flights`, it is a cache "
            "that never forgets: seats that were sold yesterday are on sale for ever.",
            look="The flight must leave `flights` when it is done: `add_done_callback` can see "
            "to that, even when no caller is waiting any more.",
        )
    await _judge_others(get)
    return f"{CROWD} callers, one load; in an outage and with callers leaving, nobody was lost."


def _judge_one_load(store: SlowStore) -> None:
    expected = f"{CROWD} callers of one key, and one load."
    if store.loads > 1 and store.most_at_once == 1:
        raise NotYet(
            expected=expected,
            seen=f"the store was asked {store.loads} times, once after another; the last caller "
            f"got an answer after {store.loads * LOAD_S:.0f} s.",
            why="a lock per key keeps loads apart, but the callers share nothing: each one waits "
            "for its turn, and then loads again what the one before has just loaded. The stampede "
            "has become a queue.",
            look="Keep the *load* under the key, not a lock: those who come while it is under way "
            "wait for the same task, and all of them get its result.",
        )
    if store.loads != 1:
        raise NotYet(
            expected=expected,
            seen=f"the store was asked {store.loads} times.",
            why="that is a stampede: the store gets the whole crowd just when it matters most.",
            look="Callers who come while a load is under way must find it in `flights`, and wait "
            "for that one. It must be put there before the first `await`.",
        )


async def _judge_others(get: Any) -> None:
    store, flights = SlowStore(), {}  # type: tuple[SlowStore, dict[str, Any]]
    await _crowd(get, store, flights, ["stalls"] * 5 + ["balcony"] * 5)
    if store.loads != 2:
        raise NotYet(
            expected="two keys, two loads.",
            seen=f"{store.loads} loads.",
            why="a caller who asks for the balcony must not get the stalls.",
            look="Is the flight kept under its key?",
        )
    store.is_down = True
    failed = await _crowd(get, store, flights, ["seats"] * 5)
    store.is_down = False
    back = await _crowd(get, store, flights, ["seats"])
    if any(isinstance(answer, str) for answer in failed) or not isinstance(back[0], str):
        raise NotYet(
            expected="a load that fails is told to all who waited; the next caller tries anew.",
            seen="the failure was kept, or swallowed.",
            why="an outage of a moment must not outlive itself in your cache.",
            look="Let the exception through, and forget the flight in that case too.",
        )
    await _judge_leaving(get)


async def _judge_leaving(get: Any) -> None:
    """The one who started a load leaves; one has joined it before that, another joins after."""
    store, flights = SlowStore(), {}  # type: tuple[SlowStore, dict[str, Any]]
    leaver = asyncio.ensure_future(get("seats", flights, store.load))
    await asyncio.sleep(LOAD_S / 4)
    stayer = asyncio.ensure_future(get("seats", flights, store.load))
    await asyncio.sleep(LOAD_S / 4)
    leaver.cancel()
    await asyncio.sleep(LOAD_S / 4)
    latecomer = asyncio.ensure_future(get("seats", flights, store.load))
    await asyncio.wait({stayer, latecomer}, timeout=10 * LOAD_S)
    if not stayer.done() or stayer.cancelled() or stayer.exception():
        raise NotYet(
            expected="one caller leaves, the other still gets the answer.",
            seen="the one who stayed got nothing: the load was cancelled with the one who left.",
            why="when a caller that awaits a task is cancelled, the task is cancelled as well, and "
            "everybody shares it.",
            look="Let the load be a task of its own, and nobody's. `await asyncio.shield(task)` "
            "waits for a task without taking it along.",
        )
    if store.loads != 1:
        raise NotYet(
            expected="the caller who started a load leaves; one who comes then still shares it.",
            seen=f"the load was under way, and the store was asked again: {store.loads} loads.",
            why="the flight left `flights` with the caller who started it, not when it landed. "
            "The first of a crowd is also the first to time out.",
            look="The end of the load takes it out of `flights` (`add_done_callback`), not the "
            "end of a caller.",
        )


async def _crowd(get: Any, store: SlowStore, flights: dict[str, Any], keys: list[str]) -> list[Any]:
    return await asyncio.gather(
        *(get(key, flights, store.load) for key in keys), return_exceptions=True
    )


# -- 06b ------------------------------------------------------------------------------------

ITEMS, LOOKS_PER_S = 100, 200
DAY_S, DOWN_S = 30.0, (30.0, 55.0)
MOST_LOADS_PER_S, OLDEST_S, SERVED = 25.0, 5.0, 0.95
REPLIES = {
    "b": "Then everybody sees prices half a minute old on good days too. How old an answer may be "
    "is a different question when there is a better one.",
    "c": "Every look would ask the store: with no outage at all you had more load than it can "
    "bear, and in one the window is dark.",
    "d": "An error helps nobody who only wants to know what is on. What must never be stale, "
    "such as the number of seats left, does not belong into this cache.",
}


@dataclass
class Seen:
    """What two hundred lookers a second met: loads on the good day, ages, and answers."""

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
            expected=f"at most {MOST_LOADS_PER_S:.0f} loads a second on a good day.",
            seen=f"{loads_per_s:.0f}.",
            why="each item is loaded once in its time to live, if somebody looks at it.",
            look=f"{ITEMS} items ÷ time to live: how many loads a second are that?",
        )
    oldest_s = max(day.oldest_s for day in days)
    if oldest_s > OLDEST_S:
        raise NotYet(
            expected=f"on a good day no answer older than {OLDEST_S:.0f} s.",
            seen=f"one was {oldest_s:.1f} s old.",
            why="the store was there and knew better.",
            look="Which of the two knobs rules on a good day?",
        )
    served = min(day.served_down / day.looks_down for day in days)
    if served < SERVED:
        raise NotYet(
            expected=f"{SERVED:.0%} see their item during an outage of "
            f"{DOWN_S[1] - DOWN_S[0]:.0f} s.",
            seen=f"{served:.0%} did.",
            why="the cache is the last thing that still works, and it was told to be silent.",
            look="How old is an item at the end of the outage, that was loaded before it began?",
        )
    return (
        f"{loads_per_s:.0f} loads a second and nothing older than {oldest_s:.1f} s on a good day; "
        f"{served:.0%} served in the outage."
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
                expected="a whole number of connections.",
                seen=f"{size!r}.",
                why="a pool cannot hold a part of a connection.",
                look="`//` divides and rounds down.",
            )
        _judge_deploy(size, allowed, reserved, replicas, surge)
        least = min(least, size * (replicas + surge) / (allowed - reserved))
    return f"in five deploys nobody was refused, and at least {least:.0%} of what there is is used."


def _judge_deploy(size: int, allowed: int, reserved: int, replicas: int, surge: int) -> None:
    told = f"{replicas} replicas and {surge} more in a deploy, {allowed} connections allowed"
    calm, deploy = size * replicas, size * (replicas + surge)
    if calm > allowed - reserved:
        raise NotYet(
            expected="even on a calm day the reserved connections stay free.",
            seen=f"{told}: {calm} in use, {allowed - calm} left of {reserved} reserved.",
            why="when it burns, nobody can get into the database to look.",
            look="How many may all replicas have together?",
        )
    if deploy > allowed - reserved:
        raise NotYet(
            expected="during a deploy nobody hears *too many clients*.",
            seen=f"{told}: {deploy} in use, where {allowed - reserved} are free.",
            why="in a deploy old and new replicas run side by side, each with a pool of its own.",
            look="How many replicas are there at the worst moment?",
        )
    if deploy + replicas + surge <= allowed - reserved:
        raise NotYet(
            expected="as large a pool as there is room for.",
            seen=f"{told}: {size} each, though {size + 1} each would fit.",
            why="what is not used is bought for nothing, and orders wait for it.",
            look="Divide what is free at the worst moment, and round down.",
        )


EXERCISES: dict[str, Exercise] = {
    "06a": Exercise(
        title="One load for a crowd",
        minutes=20,
        answer="get",
        parameters=("key", "flights", "load"),
        judge=judge_get,
        hints=(
            "The first caller finds nothing in `flights`. What must the second one find there?",
            "Keep the *task* of the load, not its result: `asyncio.ensure_future(load(key))` "
            "starts it and gives something that many can await. It leaves when it is done.",
            "Ten customers ask at the counter for the same seating plan. The clerk fetches it "
            "once, for all of them. A customer who gives up and leaves does not call the clerk "
            "back. Once the clerk has returned, the next customer's question is a new errand.",
        ),
    ),
    "06b": Exercise(
        title="How old is too old",
        answer="settings",
        judge=judge_ages,
        hints=(
            "One knob rules while the store answers, the other while it does not.",
            "The time to live lies between two limits: items ÷ loads a second, and the greatest "
            "age. What is stale may be so for as long as an outage lasts.",
            "Fifty items, ten loads a second, at most 8 s old: a time to live from 5 to 8 s. "
            "An outage of a minute: stale for 60 s.",
        ),
    ),
    "06c": Exercise(
        title="Too many clients",
        answer="pool_size",
        parameters=("allowed", "reserved", "replicas", "surge"),
        judge=judge_pool_size,
        hints=(
            "Count the connections in the middle of a deploy, not on a calm day.",
            "All pools can be full at once. What is free for them, shared among all replicas "
            "that can run at the same time, rounded down.",
            "50 allowed, 2 reserved, 4 replicas and 2 more in a deploy: 48 for 6, so 8 each.",
        ),
    ),
}
