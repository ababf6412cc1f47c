"""A breaker held against the contract at every call: who was let through, and what moved it.

It stands in the place of the real one and asks that one; of its own it keeps the calls of each
era (the time between two moves), and judges by them.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import floor

from bpdemo.core.errors import CircuitOpen
from bpdemo.core.events import BreakerState
from bpdemo.flow.breaker import GRACE_S, Breaker, BreakerPolicy, Permit
from bpdemo.flow.rolling import SHORTEST_S, SLOTS
from tests.vopr.verdicts import Verdicts


@dataclass(eq=False)
class Held:
    """A call that was let through, and in which era."""

    permit: Permit
    era: int
    granted_s: float
    lapsed: bool = False


class WatchedBreaker:
    """Takes the place of a `Breaker`, and finds it wrong where it is."""

    def __init__(
        self, breaker: Breaker, name: str, clock: Callable[[], float], verdicts: Verdicts
    ) -> None:
        self._real = breaker
        self._policy: BreakerPolicy = breaker._policy
        self._name = name
        self._clock = clock
        self._verdicts = verdicts
        self._era = 0
        self._opened_s = 0.0
        self._probes: list[Held] = []  # those of this era that have not ended
        self._successes = 0
        self._ended: deque[tuple[float, bool]] = deque()  # of a closed era: when, and failed?
        self._failed = 0  # how many of those
        # Since the dependency is known to be well: calls let through while it was not closed, and
        # those of them that lapsed or said nothing.
        self._trial = self._lapses = self._ignored = 0

    @property
    def state(self) -> BreakerState:
        return self._real.state

    @property
    def half_opens_in_s(self) -> float:
        return self._real.half_opens_in_s

    @property
    def may_pass(self) -> bool:
        """Whether the contract lets another call through."""
        match self.state:
            case "open":
                return self._opened_s + self._policy.open_s - self._clock() <= 0
            case "half_open":
                return self._taken < self._policy.half_open_calls
            case _:
                return True

    def check(self) -> None:
        may_pass = self.may_pass
        try:
            self._real.check()
        except CircuitOpen:
            self._say(not may_pass, "the breaker refused a call that may pass")
            raise
        self._say(may_pass, "the breaker lets a call through that may not pass")

    def acquire(self) -> Held:
        may_pass, before = self.may_pass, self.state
        try:
            permit = self._real.acquire()
        except CircuitOpen:
            self._say(not may_pass, "the breaker refused a call that may pass")
            raise
        self._say(may_pass, "the breaker lets a call through that may not pass")
        self._follow(before, "half_open" if before == "open" else before)
        held = Held(permit, self._era, self._clock())
        if self.state == "half_open":
            self._trial += 1
            self._probes.append(held)
        return held

    def success(self, held: Held) -> None:
        before, expected = self.state, self.state
        mine = held.era == self._era
        if before == "half_open" and mine:
            self._return(held)
            self._successes += 1
            if self._successes >= self._policy.half_open_calls:
                expected = "closed"
        elif before == "closed" and mine and self._policy.enabled:
            expected = self._judged(failed=False)
        self._real.success(held.permit)
        self._follow(before, expected)

    def failure(self, held: Held) -> None:
        before, expected = self.state, self.state
        mine = held.era == self._era
        if before == "half_open" and mine:
            live = not self._has_lapsed(held)
            self._return(held)
            expected = "open" if live else before
        elif before == "closed" and mine and self._policy.enabled:
            expected = self._judged(failed=True)
        self._real.failure(held.permit)
        self._follow(before, expected)

    def ignore(self, held: Held) -> None:
        before = self.state
        self._ignored += before == "half_open"
        self._return(held)
        self._real.ignore(held.permit)
        self._follow(before, before)

    def retune(self, policy: BreakerPolicy) -> None:
        before, expected = self.state, self.state
        if policy != self._policy:
            for held in self._probes:
                held.lapsed = self._has_lapsed(held)
            self._policy = policy
            self._forget_ended()
            enough = before == "half_open" and self._successes >= policy.half_open_calls
            expected = "closed" if enough or not policy.enabled else before
        self._real.retune(policy)
        self._follow(before, expected)

    def begin_trial(self) -> None:
        """From here on the dependency is well."""
        self._trial = self._lapses = self._ignored = 0

    def check_trial(self) -> None:
        """It has closed: after no more calls than it may take."""
        most = self._policy.half_open_calls + self._lapses + self._ignored
        self._say(self._trial <= most, "the breaker took too many calls to close")

    @property
    def _taken(self) -> int:
        return self._successes + sum(not self._has_lapsed(held) for held in self._probes)

    def _has_lapsed(self, held: Held) -> bool:
        if not held.lapsed and held.granted_s < self._clock() - self._policy.permit_ttl_s - GRACE_S:
            held.lapsed = True
            self._lapses += 1
        return held.lapsed

    def _return(self, held: Held) -> None:
        if held in self._probes:
            self._has_lapsed(held)
            self._probes.remove(held)

    def _judged(self, *, failed: bool) -> BreakerState:
        """What a closed breaker should be once this call has ended, by those of its window."""
        self._ended.append((self._clock(), failed))
        self._failed += failed
        if not self._failed:
            return "closed"
        width_s = max(self._policy.window_s, SHORTEST_S) / SLOTS
        oldest = floor(self._clock() / width_s) - SLOTS
        while floor(self._ended[0][0] / width_s) <= oldest:
            self._failed -= self._ended.popleft()[1]
        enough = self._failed and len(self._ended) >= self._policy.min_calls
        opens = enough and self._failed / len(self._ended) >= self._policy.failure_ratio
        return "open" if opens else "closed"

    def _forget_ended(self) -> None:
        self._ended.clear()
        self._failed = 0

    def _follow(self, before: BreakerState, expected: BreakerState) -> None:
        now = self.state
        if now != expected:
            self._say(False, f"a breaker went from {before} to {now}, not to {expected}")
        if now != before:
            self._era += 1
            self._probes.clear()
            self._successes = 0
            self._forget_ended()
            if now == "open":
                self._opened_s = self._clock()

    def _say(self, truth: object, kind: str) -> None:
        if not truth:
            seen = f"{self._successes} succeeded, {len(self._probes)} are out, era {self._era}"
            self._verdicts.fail(kind, f"{self._name}: {seen}, {self._policy}")
