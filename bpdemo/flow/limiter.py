"""A limit on what is in flight: the algorithm that sets it, apart from the gate that enforces it.

A permit ends as success, ignored or dropped, and the algorithm hears of each but the ignored. So a
limit that adapts (AIMD, gradient, Vegas) can take the place of the fixed one without the gate
noticing, and aborted work cannot pollute its samples. After Netflix's concurrency-limits.
"""

from collections.abc import Callable
from inspect import signature
from math import inf
from typing import Any, Protocol

from bpdemo.core.ranges import require_count


class Limit(Protocol):
    """How many may be in flight; learns from what ended."""

    @property
    def current(self) -> float: ...

    def learn(
        self, in_flight: int, latency_s: float, *, dropped: bool, now: float, was_full: bool
    ) -> None:
        """One call ended at `now` after `latency_s`, while `in_flight` were, itself included.

        `dropped`: it had no answer, so it would have taken at least that long. `was_full`: nobody
        else would have been let in. A limit may leave out `now` and `was_full`, and is then told
        neither.
        """
        ...


class FixedLimit:
    """Always the same. 0 means no limit."""

    __slots__ = ("current",)

    def __init__(self, limit: int) -> None:
        require_count("limit", limit)
        self.current: float = limit or inf

    def learn(
        self, in_flight: int, latency_s: float, *, dropped: bool, now: float, was_full: bool
    ) -> None:
        pass


class Limiter:
    """The gate: counts who is inside and hands out permits while there is room."""

    __slots__ = ("_clock", "_hears_all", "_limit", "in_flight")

    def __init__(self, limit: Limit, clock: Callable[[], float]) -> None:
        self.limit = limit
        self.in_flight = 0
        self._clock = clock

    @property
    def limit(self) -> Limit:
        """Assign another to use that from now on; those inside still count."""
        return self._limit

    @limit.setter
    def limit(self, limit: Limit) -> None:
        self._limit = limit
        self._hears_all = _takes(limit.learn, "now", "was_full")

    def try_acquire(self) -> "InFlight | None":
        """A permit, or None when full. It must be ended exactly once."""
        if self.in_flight >= self._limit.current:
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
        in_flight, limit = self.in_flight, self._limit
        told: dict[str, Any] = {}
        self.in_flight -= 1
        now = self._clock()
        if self._hears_all:
            told = {"now": now, "was_full": in_flight >= limit.current}
        limit.learn(in_flight, now - started_s, dropped=dropped, **told)


class InFlight:
    """One request's permit. Ending it twice is a bug, and counts once."""

    __slots__ = ("_limiter", "_started_s")

    def __init__(self, limiter: Limiter, started_s: float) -> None:
        self._limiter: Limiter | None = limiter
        self._started_s = started_s

    def begin(self, at_s: float) -> None:
        """It has waited for its caller until then: only what came after is the service's time."""
        self._started_s = at_s

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


def _takes(function: Callable[..., Any], *names: str) -> bool:
    """Whether it can be told of all these by name."""
    parameters = signature(function).parameters
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    return takes_any or all(name in parameters for name in names)
