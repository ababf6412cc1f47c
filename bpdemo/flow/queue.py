"""The bounded queue: where backpressure begins.

    callers ── put / try_put ──▶ [ a place each ] ── take ──▶ workers
                   │ full
                   ├─ reject: QueueFull, at once
                   └─ block:  wait in a line that is bounded too, for a bounded time

A *place* is a waiting place or an idle worker: a job is admitted while
busy + depth < workers + capacity. So capacity 0 still uses idle workers, and the K of queueing
theory is workers + capacity.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from math import inf
from typing import Generic, TypeVar

from bpdemo.core.choices import DISCIPLINES, QueueDiscipline
from bpdemo.core.errors import Draining, QueueFull, QueueTimeout
from bpdemo.core.ranges import require_choice, require_count
from bpdemo.flow.codel import CoDel, CoDelPolicy
from bpdemo.flow.disciplines import LEVELS, Discipline, make_discipline, twice

J = TypeVar("J", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePolicy:
    """`capacity` places beyond the workers (-1: no bound); `waiters` may wait for one (block)."""

    capacity: int
    discipline: QueueDiscipline
    waiters: int
    codel: CoDelPolicy

    def __post_init__(self) -> None:
        require_count("capacity", self.capacity, -1)
        require_choice("discipline", self.discipline, DISCIPLINES)
        require_count("waiters", self.waiters)


class BoundedQueue(Generic[J]):
    """Jobs between callers and workers. `idle` tells how many workers are free (a limit that
    adapts may have a part of one free, which takes a whole job).

    All but `put` and `take` are synchronous: between any two awaits of the service, depth and
    places are exact. Anyone who frees a worker calls `place_freed`.

    A job has one place. The same one (an equal one) again, while it waits here or for a place here,
    is a mistake: ValueError, and so is a priority below 0 or above 3. Neither changes anything.
    """

    def __init__(
        self,
        policy: QueuePolicy,
        *,
        idle: Callable[[], float],
        clock: Callable[[], float],
        on_shed: Callable[[J, float], None],
    ) -> None:
        """`on_shed(job, waited_s)` hears of each job that CoDel drops."""
        self._policy = policy
        self._idle = idle
        self._clock = clock
        self._on_shed = on_shed
        self._line: Discipline[J] = _line_for(policy)
        self._read(policy)
        self._depth = 0  # the length of the line: asked for often, and counting is cheaper
        self._codel = CoDel(policy.codel, clock())
        self._takers: deque[asyncio.Future[None]] = deque()
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._granted = 0  # places given to waiters that have not woken up to fill them yet
        self._arriving: set[J] = set()  # the jobs of the waiters, those with a grant among them
        self._closed = False

    @property
    def depth(self) -> int:
        return self._depth

    @property
    def capacity(self) -> int:
        return self._policy.capacity

    @property
    def waiting(self) -> int:
        """Callers that wait for a place."""
        return len(self._waiters)

    @property
    def has_place(self) -> bool:
        return self._depth + self._granted < self._places + self._idle()

    @property
    def may_wait(self) -> bool:
        """Whether one more caller may wait for a place."""
        return len(self._waiters) < self._policy.waiters

    def ahead_of(self, priority: int) -> int:
        """How many queued jobs would be served before a newcomer of that priority."""
        return self._line.ahead_of(priority)

    def try_put(self, job: J, priority: int = 1) -> None:
        """Take a place at once. Raises `QueueFull` if there is none, or others wait for it."""
        if not 0 <= priority < LEVELS:
            raise _no_priority(priority)
        if (
            self._closed or self._arriving or self._depth >= self._places + self._idle()
        ) and not self._may_append(job):
            raise QueueFull
        self._append(job, priority)

    async def put(self, job: J, timeout_s: float, priority: int = 1) -> None:
        """Take a place, waiting up to `timeout_s` for one; first come, first served.

        Raises `QueueTimeout`, and `QueueFull` when too many wait already. The job is in the queue
        when this returns, and is not when it raises or is cancelled.
        """
        if not 0 <= priority < LEVELS:
            raise _no_priority(priority)
        if (
            self._closed or self._arriving or self._depth >= self._places + self._idle()
        ) and not self._may_append(job):
            if not self.may_wait:
                raise QueueFull
            await self._wait_for_place(job, timeout_s)
            if self._closed:
                raise Draining
        try:
            self._append(job, priority)
        except BaseException:
            self.place_freed()  # a place that was granted to this job is the next one's
            raise

    async def take(self) -> tuple[J, float]:
        """The next job and how long it waited; waits for one. Cancelling it loses none."""
        while not self._depth:
            self._codel.saw_empty(self._clock())
            await self._wait_for_job()
        now = self._clock()
        try:
            while True:
                job, came_s = self._line.pop()
                self._depth -= 1
                waited_s = now - came_s
                if not self._may_shed or not self._sheds(waited_s, now):
                    return job, waited_s
                try:
                    self._on_shed(job, waited_s)
                finally:
                    self.place_freed()
        except BaseException:
            if self._depth:
                self._wake_taker()  # this one was woken for a job, and has taken none
            raise

    def remove(self, job: J) -> bool:
        """Take a job out that nobody wants any more; False if it is not queued."""
        removed = self._line.remove(job)
        if removed:
            self._depth -= 1
            self.place_freed()
        return removed

    def retune(self, policy: QueuePolicy) -> None:
        """Use another policy from now on. No job is lost: after a shrink the surplus drains."""
        old, self._policy = self._policy, policy
        self._codel.policy = policy.codel
        self._read(policy)
        if _kind_of(policy) != _kind_of(old):
            self._reorder()
        self.place_freed()

    def place_freed(self) -> None:
        """Give the places that are free now to those who wait for one, in turn."""
        while self._waiters and self.has_place:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._granted += 1
                waiter.set_result(None)

    def close(self) -> None:
        """Take no more jobs; those who wait for a place get `Draining`."""
        self._closed = True
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(Draining())

    def clear(self) -> list[J]:
        """Take everything out, in turn."""
        jobs = []
        while self._depth:
            jobs.append(self._line.pop()[0])
            self._depth -= 1
        self.place_freed()
        return jobs

    def _read(self, policy: QueuePolicy) -> None:
        """What every job asks of the policy, in the form it is asked for."""
        self._places = inf if policy.capacity < 0 else policy.capacity
        self._may_shed = policy.discipline == "codel"

    def _may_append(self, job: J) -> bool:
        """Asked where that is not seen at once: whether there is a place, which nobody waits for.

        While nobody is on their way to one, there is if they are not all taken.
        """
        if self._closed:
            raise Draining
        if job in self._arriving:
            raise twice(job)
        if not self._waiters and self.has_place:
            return True
        if job in self._line:
            raise twice(job)
        return False

    def _append(self, job: J, priority: int) -> None:
        now = self._clock()
        if not self._depth:
            self._codel.saw_empty(now)
        self._line.push(job, now, priority)
        self._depth += 1
        if self._takers:
            self._wake_taker()

    def _sheds(self, waited_s: float, now: float) -> bool:
        # The worker that asks counts as idle still. Shedding must leave no worker without work.
        return self._codel.sheds(waited_s, now) and self._idle() <= 1 and self._depth > 0

    async def _wait_for_place(self, job: J, timeout_s: float) -> None:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(timeout_s, _expire, waiter)
        self._waiters.append(waiter)
        self._arriving.add(job)
        try:
            await waiter
        except BaseException:
            self._leave(waiter)
            raise
        finally:
            self._arriving.discard(job)
            timer.cancel()
        self._granted -= 1  # the caller fills the place before anything else can run

    def _leave(self, waiter: "asyncio.Future[None]") -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
            # Cancelled between the grant and waking up: the place goes to the next in line.
            self._granted -= 1
            self.place_freed()

    async def _wait_for_job(self) -> None:
        taker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._takers.append(taker)
        try:
            await taker
        except BaseException:
            if taker in self._takers:
                self._takers.remove(taker)
            elif self._depth:
                self._wake_taker()  # it was woken for a job, and will not take it: pass it on
            raise

    def _wake_taker(self) -> None:
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                return

    def _reorder(self) -> None:
        line: Discipline[J] = _line_for(self._policy)
        for job, came_s, priority in self._line:
            line.push(job, came_s, priority)
        self._line = line


def _kind_of(policy: QueuePolicy) -> tuple[QueueDiscipline, float]:
    """What a line is made of."""
    standing_s = policy.codel.interval_s if policy.discipline == "adaptive_lifo" else 0.0
    return policy.discipline, standing_s


def _line_for(policy: QueuePolicy) -> Discipline[J]:
    return make_discipline(*_kind_of(policy))


def _no_priority(priority: int) -> ValueError:
    return ValueError(f"priority: {priority} is not from 0 to {LEVELS - 1}")


def _expire(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_exception(QueueTimeout())
