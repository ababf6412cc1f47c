"""A limit on what is in flight: the algorithm that sets it, apart from the gate that enforces it.

A permit ends as success, ignored or dropped, and the algorithm hears of each but the ignored. So a
limit that adapts (AIMD, gradient, Vegas) can take the place of the fixed one without the gate
noticing, and aborted work cannot pollute its samples. After Netflix's concurrency-limits.
"""

from collections.abc import Callable
from math import inf
from typing import Protocol

from bpdemo.core.ranges import require_count


class Limit(Protocol):
    """How many may be in flight; learns from what ended."""

    @property
    def current(self) -> float: ...

    def learn(self, in_flight: int, latency_s: float, *, dropped: bool) -> None:
        """One call ended after `latency_s`, while `in_flight` were, itself included."""
        ...


class FixedLimit:
    """Always the same. 0 means no limit."""

    __slots__ = ("current",)

    def __init__(self, limit: int) -> None:
        require_count("limit", limit)
        self.current: float = limit or inf

    def learn(self, in_flight: int, latency_s: float, *, dropped: bool) -> None:
        pass


class Limiter:
    """The gate: counts who is inside and hands out permits while there is room."""

    __slots__ = ("_clock", "in_flight", "limit")

    def __init__(self, limit: Limit, clock: Callable[[], float]) -> None:
        self.limit = limit
        self.in_flight = 0
        self._clock = clock

    def try_acquire(self) -> "InFlight | None":
        """A permit, or None when full. It must be ended exactly once."""
        if self.in_flight >= self.limit.current:
            return None
        return self.acquire()

    def acquire(self) -> "InFlight":
        """A permit for one who was promised it, even if the limit has shrunk since.

        It must be ended exactly once, as every permit.
        """
        permit = InFlight(self, self._clock())
        self.in_flight += 1
        return permit

    def _release(self, started_s: float, *, dropped: bool) -> None:
        # Counted down first: a limit that raises while it learns must not keep the place.
        in_flight = self.in_flight
        self.in_flight -= 1
        self.limit.learn(in_flight, self._clock() - started_s, dropped=dropped)


class InFlight:
    """One request's permit. Ending it twice is a bug, and counts once."""

    __slots__ = ("_limiter", "_started_s")

    def __init__(self, limiter: Limiter, started_s: float) -> None:
        self._limiter: Limiter | None = limiter
        self._started_s = started_s

    def success(self) -> None:
        """It was served: its latency is a sample."""
        if limiter := self._end():
            limiter._release(self._started_s, dropped=False)

    def drop(self) -> None:
        """It met overload further in: a timeout, a shed. The strongest hint there is."""
        if limiter := self._end():
            limiter._release(self._started_s, dropped=True)

    def ignore(self) -> None:
        """It says nothing of the load: unreadable, refused at the next door, or left."""
        if limiter := self._end():
            limiter.in_flight -= 1

    def _end(self) -> Limiter | None:
        limiter, self._limiter = self._limiter, None
        return limiter
