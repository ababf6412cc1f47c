"""A circuit breaker: stop calling what is down, then find out gently whether it is back.

             failures reach the ratio                 open_s is over
    CLOSED ───────────────────────────▶ OPEN ───────────────────────────▶ HALF_OPEN
       ▲                                  ▲       the first failure           │ │
       │                                  └───────────────────────────────────┘ │
       └────────────────────────────────────────────────────────────────────────┘
                               all probes succeed

Every call that is let through holds a *permit* and ends it in one of three ways: `success` for any
answer (`sold out` is one), `failure`, or `ignore` for what says nothing of the dependency's health
(the caller left, our own pool was exhausted). Ignoring gives a probe's place back, so aborted work
can neither wedge the breaker half-open nor let a crowd in. A permit that belongs to an earlier
state is stale: a call that began before the breaker opened has no say in whether it closes.

A probe that takes longer than a permit lasts loses its place, but not its say: when it succeeds
while the breaker is still half-open, that success counts. Otherwise a dependency that is well, yet
slower than a permit lasts, would never be seen to be well. Its failure counts no more, so one that
always fails that late keeps the breaker half-open: let attempts end before their permits do. Once
every call succeeds, the breaker closes after at most `half_open_calls` further ones, and one more
for each that lapsed.

After M. Nygard, *Release It!*, with counted half-open permits as in failsafe-go.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bpdemo.core.errors import CircuitOpen
from bpdemo.core.events import BreakerMoved, BreakerState, Dependency
from bpdemo.core.ports import Observer
from bpdemo.core.ranges import require_count, require_flag, require_number
from bpdemo.flow.rolling import RollingCounts

Permit = int
#: An attempt's timeout and its permit's end fall on the same moment, and timers fire a little
#: late: a probe that times out must still count as a failure.
GRACE_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """Opens when, over `window_s`, at least `min_calls` ended and `failure_ratio` of them failed.

    Half-open, exactly `half_open_calls` probes decide. A probe that has not reported within
    `permit_ttl_s` lapses: its place goes to another. If it succeeds later, while the breaker is
    half-open still, that counts; a failure so late does not.
    """

    enabled: bool
    failure_ratio: float
    min_calls: int
    window_s: float
    open_s: float
    half_open_calls: int
    permit_ttl_s: float

    def __post_init__(self) -> None:
        require_flag("enabled", self.enabled)
        require_number("failure_ratio", self.failure_ratio, 0, 1)
        require_count("min_calls", self.min_calls, 1)
        require_number("window_s", self.window_s)
        require_number("open_s", self.open_s)
        require_count("half_open_calls", self.half_open_calls, 1)
        require_number("permit_ttl_s", self.permit_ttl_s)


class Breaker:
    """Pure decisions: no tasks, no timers. It moves only when asked or told something."""

    __slots__ = (
        "_calls", "_clock", "_dependency", "_lapsed", "_observer", "_opened_at", "_permit",
        "_policy", "_probes", "_state", "_successes",
    )  # fmt: skip

    def __init__(
        self,
        policy: BreakerPolicy,
        dependency: Dependency,
        clock: Callable[[], float],
        observer: Observer,
    ) -> None:
        self._policy = policy
        self._dependency = dependency
        self._clock = clock
        self._observer = observer
        self._state: BreakerState = "closed"
        self._calls = RollingCounts(policy.window_s, clock)
        self._opened_at = 0.0
        self._permit: Permit = 0  # the newest one; those of CLOSED share it, a probe has its own
        self._probes: dict[Permit, float] = {}  # outstanding, with the moment each was granted
        self._lapsed: set[Permit] = set()  # outstanding too, but without a place any more
        self._successes = 0

    @property
    def state(self) -> BreakerState:
        """OPEN lasts until somebody calls: only a call can be the first probe."""
        return self._state

    @property
    def half_opens_in_s(self) -> float:
        """How long every call will still be refused; 0 unless open."""
        if self._state != "open":
            return 0.0
        return max(0.0, self._opened_at + self._policy.open_s - self._clock())

    def check(self) -> None:
        """Raise `CircuitOpen` if `acquire` would, without taking a permit."""
        if self._state == "open" and (wait_s := self.half_opens_in_s) > 0:
            raise CircuitOpen(retry_after_s=wait_s)
        if self._state == "half_open" and not self._has_probe_left():
            raise CircuitOpen

    def acquire(self) -> Permit:
        """A permit for one call; every permit must be ended. Raises `CircuitOpen`."""
        if self._state == "closed":
            return self._permit
        self.check()
        if self._state == "open":
            self._move_to("half_open")
        self._permit += 1
        self._probes[self._permit] = self._clock()
        return self._permit

    def success(self, permit: Permit) -> None:
        """The dependency answered as it should."""
        if self._state != "closed":
            if self._take_back(permit):
                self._successes += 1
                self._close_if_proven()
        # With no failure in the window there is nothing to judge: nearly every call ends here.
        elif permit == self._permit and self._policy.enabled and self._calls.count():
            self._open_if_failing()

    def failure(self, permit: Permit) -> None:
        """The dependency failed, or did not answer in the time an attempt has."""
        if self._state != "closed":
            self._lapse()
            if self._probes.pop(permit, None) is not None:
                self._move_to("open")
            self._lapsed.discard(permit)
        elif permit == self._permit and self._policy.enabled:
            self._calls.count()
            self._calls.mark()
            self._open_if_failing()

    def ignore(self, permit: Permit) -> None:
        """The call ended in a way that says nothing of the dependency."""
        self._take_back(permit)

    def retune(self, policy: BreakerPolicy) -> None:
        """Use another policy from now on. Disabling closes the breaker; counts start anew."""
        if policy == self._policy:
            return
        self._lapse()  # by the old policy: a longer time must not bring a lapsed probe back
        self._policy = policy
        self._calls = RollingCounts(policy.window_s, self._clock)
        if not policy.enabled and self._state != "closed":
            self._move_to("closed")
        elif self._state == "half_open":
            # The probes that have succeeded may be enough now, and no other would be let in.
            self._close_if_proven()

    def _open_if_failing(self) -> None:
        """Asked at every end of a call: the one that makes them enough may have succeeded."""
        calls, policy = self._calls, self._policy
        if calls.total < policy.min_calls:
            return
        # As a quotient it meets the ratio exactly; 0.7 × 10 is more than 7.
        if calls.marked / calls.total >= policy.failure_ratio:
            self._move_to("open")

    def _close_if_proven(self) -> None:
        if self._successes >= self._policy.half_open_calls:
            self._move_to("closed")

    def _has_probe_left(self) -> bool:
        # Every probe either is out, or came back and succeeded: a failure would have ended this.
        self._lapse()
        return len(self._probes) + self._successes < self._policy.half_open_calls

    def _take_back(self, permit: Permit) -> bool:
        """End a probe, lapsed or not; False if it belongs to an earlier state, or ended before."""
        if permit in self._lapsed:
            self._lapsed.remove(permit)
            return True
        return self._probes.pop(permit, None) is not None

    def _lapse(self) -> None:
        granted_before = self._clock() - self._policy.permit_ttl_s - GRACE_S
        for permit in [p for p, granted in self._probes.items() if granted < granted_before]:
            del self._probes[permit]
            self._lapsed.add(permit)

    def _move_to(self, state: BreakerState) -> None:
        self._state = state
        self._permit += 1  # whatever was handed out before is stale now
        self._probes.clear()
        self._lapsed.clear()
        self._successes = 0
        if state == "open":
            self._opened_at = self._clock()
        elif state == "closed":
            self._calls = RollingCounts(self._policy.window_s, self._clock)
        self._observer.observe(BreakerMoved(self._dependency, state))
