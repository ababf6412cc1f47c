"""A read-through cache that stays useful when everybody asks at once, and when the store is down.

- Concurrent misses of one key load once (*coalesced*): no stampede when a popular entry expires.
- While loading fails for want of the store, the last value is served *stale* for a while.
- A load that began before an invalidation does not fill: what it read may be the old value.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from cachetools import TLRUCache

from bpdemo.core.errors import DependencyError, DownstreamFailed, Refused
from bpdemo.core.events import CacheAsked, CacheResult
from bpdemo.core.ports import Observer, hears
from bpdemo.core.ranges import require_count, require_number

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """Fresh for `ttl_s` (0: nothing is), served stale for `stale_s` more, `capacity` entries."""

    ttl_s: float
    stale_s: float
    capacity: int

    def __post_init__(self) -> None:
        require_number("ttl_s", self.ttl_s)
        require_number("stale_s", self.stale_s)
        require_count("capacity", self.capacity, 1)


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V
    loaded_s: float


@dataclass(slots=True, eq=False)
class _Flight(Generic[V]):
    """A load in progress, and those who wait for it: each has a future of its own, so that who
    leaves takes nothing along. `asyncio.shield` would be the same with three times the callbacks.
    """

    task: asyncio.Task[V]
    waiters: dict[asyncio.Future[V], None] = field(default_factory=dict)

    def tell(self) -> None:
        """The load is over: all who wait hear what came of it."""
        task = self.task
        # Asked for even where nobody waits: a failure that everybody left is nobody's to handle.
        error = DownstreamFailed() if task.cancelled() else task.exception()
        for waiter in self.waiters:
            if waiter.done():
                continue  # cancelled, and about to leave
            if error is None:
                waiter.set_result(task.result())
            else:
                waiter.set_exception(error)


class LoadBrokeOff(RuntimeError):
    """The load tried to end the process."""


class ReadThroughCache(Generic[K, V]):
    """Values by key, loaded on a miss."""

    def __init__(self, policy: CachePolicy, clock: Callable[[], float], observer: Observer) -> None:
        self._policy = policy
        self._clock = clock
        self._observer = observer
        self._is_heard = hears(observer)
        self._entries: TLRUCache[K, _Entry[V]] = self._new_entries()
        self._flights: dict[K, _Flight[V]] = {}

    async def get(self, key: K, load: Callable[[], Awaitable[V]]) -> tuple[V, CacheResult]:
        """The value, and where it came from.

        `load` runs in a task of its own: a caller who leaves does not take it away from the
        others; it is cancelled when the last one has left. Raises what `load` raises, and
        `DownstreamFailed` if it ends cancelled though somebody waits. A failure is not kept.
        """
        entry = self._find(key)
        if entry and self._is_fresh(entry):
            return entry.value, self._tell("hit")
        result: CacheResult = "coalesced" if key in self._flights else "miss"
        try:
            value = await self._join(key, load)
        except (DependencyError, Refused):
            # Looked up again: it may have been invalidated while the load was going on.
            stale = self.peek_stale(key)
            if stale is not None:
                return stale, "stale"
            self._tell(result)
            raise
        return value, self._tell(result)

    def peek(self, key: K) -> V | None:
        """The value if it is fresh: a hit without a coroutine. A miss is not counted."""
        entry = self._find(key)
        if entry is None or not self._is_fresh(entry):
            return None
        if self._is_heard:
            self._tell("hit")
        return entry.value

    def peek_stale(self, key: K) -> V | None:
        """The value if it may still be served while the store is down; counted if so."""
        entry = self._find(key)
        if entry is None or self._clock() >= entry.loaded_s + self._lifetime_s:
            return None
        self._tell("stale")
        return entry.value

    def invalidate(self, key: K) -> None:
        """Forget the value; loads in progress answer those who wait, but fill nothing."""
        self._entries.pop(key, None)
        self._flights.pop(key, None)

    def retune(self, policy: CachePolicy) -> None:
        """Use another policy from now on; entries stay as far as it has room for them.

        Those used last stay, and the one used least recently is still the first to go afterwards.
        """
        if policy == self._policy:
            return
        self._policy = policy
        old, self._entries = self._entries, self._new_entries()
        with suppress(KeyError):  # it is empty
            while True:
                key, entry = old.popitem()
                self._entries[key] = entry

    def _find(self, key: K) -> "_Entry[V] | None":
        try:
            return self._entries[key]  # its `get` would look twice
        except KeyError:
            return None

    def _is_fresh(self, entry: "_Entry[V]") -> bool:
        return self._clock() < entry.loaded_s + self._policy.ttl_s

    @property
    def _lifetime_s(self) -> float:
        return self._policy.ttl_s + self._policy.stale_s

    def _new_entries(self) -> "TLRUCache[K, _Entry[V]]":
        # Kept while they may still be served stale; freshness is judged when asked for.
        return TLRUCache(self._policy.capacity, self._dies_at_s, timer=self._clock)

    def _dies_at_s(self, _: K, entry: "_Entry[V]", __: float) -> float:
        return entry.loaded_s + self._lifetime_s

    def _tell(self, result: CacheResult) -> CacheResult:
        if self._is_heard:
            self._observer.observe(CacheAsked(result))
        return result

    async def _join(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        flight = self._flights.get(key) or self._take_off(key, load)
        waiter: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        flight.waiters[waiter] = None
        try:
            return await waiter
        finally:
            del flight.waiters[waiter]
            if not flight.waiters and not flight.task.done():
                self._land(key, flight)
                flight.task.cancel()

    def _take_off(self, key: K, load: Callable[[], Awaitable[V]]) -> "_Flight[V]":
        async def fly() -> V:
            try:
                value = await load()
                if self._flights.get(key) is flight:  # not invalidated meanwhile
                    self._entries[key] = _Entry(value, self._clock())
                return value
            except (SystemExit, KeyboardInterrupt, GeneratorExit) as error:
                # Out of a task of its own these would leave through the event loop, and end it, or
                # close the coroutines of those who wait.
                raise LoadBrokeOff(f"{type(error).__name__}: {error}") from error
            finally:
                self._land(key, flight)

        def end(_: asyncio.Task[V]) -> None:
            self._land(key, flight)  # once more, for one that was cancelled before its first step
            flight.tell()

        flight = _Flight(asyncio.get_running_loop().create_task(fly()))
        flight.task.add_done_callback(end)
        self._flights[key] = flight
        return flight

    def _land(self, key: K, flight: "_Flight[V]") -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
