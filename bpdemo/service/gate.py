"""The gate: how many requests may be inside at once, in all and from each client."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from bpdemo.core.errors import ClientLimit, ConcurrencyLimit
from bpdemo.core.ranges import require_count
from bpdemo.flow.limiter import FixedLimit, InFlight, Limiter
from bpdemo.flow.limits.choice import LimitChoice
from bpdemo.flow.share import FairShare

#: Of the problems with 503 or 504 these would not be fewer with fewer requests in flight.
NOT_FOR_LOAD = frozenset(("circuit_open", "downstream_failed", "outcome_unknown", "draining"))


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """`max_in_flight` in all, `client_max_in_flight` for each client; 0 is off.

    Where `limit` adapts, it governs orders, and `max_in_flight` all other requests.
    """

    max_in_flight: int
    client_max_in_flight: int
    limit: LimitChoice

    def __post_init__(self) -> None:
        require_count("max_in_flight", self.max_in_flight)
        require_count("client_max_in_flight", self.client_max_in_flight)


class Gate:
    """Fair share first, then the limit of all: a greedy client must not use up the latter.

    When the algorithm is changed, those inside count on against the limit that let them in.
    """

    def __init__(
        self, policy: GatePolicy, clock: Callable[[], float], rng: Random | None = None
    ) -> None:
        self._policy = policy
        self._rng = rng
        self._limiter = Limiter(FixedLimit(policy.max_in_flight), clock)
        self._orders = Limiter(FixedLimit(0), clock)  # only while their limit adapts
        self._share = FairShare(policy.client_max_in_flight)
        if policy.limit.adapts:
            self._orders.limit = policy.limit.make(rng)

    @property
    def in_flight(self) -> int:
        return self._limiter.in_flight + self._orders.in_flight

    @property
    def limit(self) -> float:
        """On orders, as it stands; infinity for none."""
        limiter = self._orders if self._policy.limit.adapts else self._limiter
        return limiter.limit.current

    def enter(self, client: str, *, is_order: bool = False) -> "GatePass":
        """Let one request in; end the visit exactly once. Raises ClientLimit, ConcurrencyLimit."""
        adapts = is_order and self._policy.limit.adapts
        if not self._share.try_enter(client):
            raise ClientLimit
        try:
            permit = (self._orders if adapts else self._limiter).try_acquire()
        except BaseException:  # a limit that cannot be read costs nobody's share
            self._share.leave(client)
            raise
        if permit is None:
            self._share.leave(client)
            raise ConcurrencyLimit
        return (OrderPass if adapts else GatePass)(permit, self._share, client)

    def retune(self, policy: GatePolicy) -> None:
        """What a limit has learnt it keeps, unless it is told to start elsewhere."""
        before, self._policy = self._policy, policy
        self._limiter.limit = FixedLimit(policy.max_in_flight)
        self._share.limit = policy.client_max_in_flight
        now, was = policy.limit, before.limit
        if not now.adapts:
            return
        if now.algorithm != was.algorithm or policy.max_in_flight != before.max_in_flight:
            self._orders.limit = now.make(self._rng)
        elif (now.low, now.high) != (was.low, was.high):
            self._orders.limit = now.rebound(self._orders.limit, self._rng)


class GatePass:
    """One request's stay inside the gate."""

    __slots__ = ("_client", "_permit", "_share")

    def __init__(self, permit: InFlight, share: FairShare, client: str) -> None:
        self._permit = permit
        self._share = share
        self._client = client

    def end(
        self, status: int | None, reason: str | None = None, placed_s: float | None = None
    ) -> None:
        """Leave, answered with `status`, or None if the caller left first; `reason` of a problem.

        An order had its place since `placed_s`; None if it never had one of its own.
        """
        self._share.leave(self._client)
        if status in (503, 504) and reason not in NOT_FOR_LOAD:
            self._permit.drop()
        elif status is None or status >= 400:
            self._permit.ignore()
        else:
            self._permit.success()


class OrderPass(GatePass):
    """An order's stay, under a limit that adapts."""

    __slots__ = ()

    def end(
        self, status: int | None, reason: str | None = None, placed_s: float | None = None
    ) -> None:
        """The limit learns from place to answer: how long that took or, where the caller left or
        ran out of time, that it would have taken longer.

        A refusal of our own teaches it nothing, or it would shrink for having refused. Nor does
        what a broken dependency did: fewer in flight would not repair that.
        """
        self._share.leave(self._client)
        if placed_s is None:
            self._permit.ignore()
            return
        self._permit.begin(placed_s)
        if status is None or reason == "deadline_exceeded":
            self._permit.drop()
        elif status < 400 or status == 409:
            self._permit.success()
        else:
            self._permit.ignore()
