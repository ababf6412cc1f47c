"""A limit on what is in flight: the algorithm that sets it, apart from the gate that enforces it.

A permit ends as success, dropped, shed or ignored, and the algorithm hears of each but the ignored.
So a limit that adapts (AIMD, gradient, Vegas) can take the place of the fixed one without the gate
noticing. After Netflix's concurrency-limits.

Work that was cut short cannot pollute the samples. Of a dropped call it is known only that it would
have taken *at least* so long: no minimum, average or probe of a limit may fall by it. One that was
given up sooner than the service usually takes of its own (`own_time.py`) says nothing of the load,
and no limit hears of it.

That usual time is the least it has been, so this holds for a service at its best. Where it has
become slower for good, callers who leave before anybody could be answered, but later than it used
to take, are still heard as drops: with a payment that went from 0.04 to 0.2 s, and 30% of the
callers gone after 0.1 s, AIMD held its limit at 9 instead of 24, and 95% of the patient were served
instead of all (simulated at 0.6 × capacity). A new process measures anew.
"""

from collections.abc import Callable
from inspect import signature
from math import inf
from typing import Any, Protocol

from bpdemo.core.ranges import require_count
from bpdemo.flow.own_time import OwnTime


class Limit(Protocol):
    """How many may be in flight; learns from what ended."""

    @property
    def current(self) -> float: ...

    def learn(
        self, in_flight: int, latency_s: float, *, dropped: bool, now: float, was_full: bool
    ) -> None:
        """One call ended at `now` after `latency_s`, while `in_flight` were, itself included.

        `dropped`: it was not served, so it would have taken at least that long, and no estimate
        may fall by it. `was_full`: nobody else would have been let in. A limit may leave out
        `now` or `was_full`, and is then not told it.
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
    """The gate: counts who is inside and hands out permits while there is room.

    A `clock` that is set back stands still for the limit: none of its windows is to be an hour
    long. What did not take a finite time from 0 is no sample.
    """

    __slots__ = (
        "_back_s", "_clock", "_heard_s", "_hears_full", "_hears_now", "_learns", "_limit",
        "_own_time", "in_flight",
    )  # fmt: skip

    def __init__(self, limit: Limit, clock: Callable[[], float]) -> None:
        self.limit = limit
        self.in_flight = 0
        self._clock = clock
        self._own_time = OwnTime()
        self._heard_s = -inf
        self._back_s = 0.0  # how far the clock has been set back, in all

    @property
    def limit(self) -> Limit:
        """Assign another to use that from now on; those inside still count."""
        return self._limit

    @limit.setter
    def limit(self, limit: Limit) -> None:
        self._limit = limit
        self._learns = not isinstance(limit, FixedLimit)
        self._hears_now = _takes(limit.learn, "now")
        self._hears_full = _takes(limit.learn, "was_full")

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

    def _release(self, started_s: float, *, dropped: bool, gave_up: bool = False) -> None:
        # Counted down first: a limit that raises while it learns must not keep the place.
        in_flight, limit = self.in_flight, self._limit
        self.in_flight -= 1
        now = self._clock()
        if not self._learns:
            return
        latency_s = now - started_s
        if not 0 <= latency_s < inf:
            return
        if now < self._heard_s:
            self._back_s += self._heard_s - now
        self._heard_s = now
        if not dropped:
            self._own_time.note(latency_s)
        elif gave_up and latency_s < self._own_time.least_s:
            return
        told: dict[str, Any] = {}
        if self._hears_now:
            told["now"] = now + self._back_s
        if self._hears_full:
            told["was_full"] = in_flight >= limit.current
        limit.learn(in_flight, latency_s, dropped=dropped, **told)


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
        """Its caller left, or their time ran out: it would have taken at least so long.

        Sooner than the service takes of its own, that says nothing, and counts as ignored.
        """
        if limiter := self._end():
            limiter._release(self._started_s, dropped=True, gave_up=True)

    def shed(self) -> None:
        """It was refused further in, for overload: the strongest hint there is, however soon."""
        if limiter := self._end():
            limiter._release(self._started_s, dropped=True)

    def ignore(self) -> None:
        """It says nothing of the load: unreadable, refused at the next door, or left."""
        if limiter := self._end():
            limiter.in_flight -= 1

    def _end(self) -> Limiter | None:
        limiter, self._limiter = self._limiter, None
        return limiter


def can_learn(limit: Any) -> bool:
    """Whether it can be told what `Limit.learn` is told."""
    learn: Any = getattr(limit, "learn", None)
    try:
        told = {name: 0.0 for name in ("now", "was_full") if _takes(learn, name)}
        signature(learn).bind(1, 0.0, dropped=False, **told)
    except (TypeError, ValueError):  # it is no function, or does not say what it takes
        return False
    return True


def _takes(function: Callable[..., Any], name: str) -> bool:
    """Whether it can be told this by name."""
    parameters = signature(function).parameters
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    return takes_any or name in parameters
