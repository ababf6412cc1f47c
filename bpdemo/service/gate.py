"""The gate: how many requests may be inside at once, in all and from each client."""

from collections.abc import Callable
from dataclasses import dataclass

from bpdemo.core.errors import ClientLimit, ConcurrencyLimit
from bpdemo.core.ranges import require_count
from bpdemo.flow.limiter import FixedLimit, InFlight, Limiter
from bpdemo.flow.share import FairShare

#: Of the problems with 503 or 504 these would not be fewer with fewer requests in flight.
NOT_FOR_LOAD = frozenset(("circuit_open", "downstream_failed", "outcome_unknown", "draining"))


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """`max_in_flight` in all, `client_max_in_flight` for each client; 0 is off."""

    max_in_flight: int
    client_max_in_flight: int

    def __post_init__(self) -> None:
        require_count("max_in_flight", self.max_in_flight)
        require_count("client_max_in_flight", self.client_max_in_flight)


class Gate:
    """Fair share first, then the limit of all: a greedy client must not use up the latter."""

    def __init__(self, policy: GatePolicy, clock: Callable[[], float]) -> None:
        self._limiter = Limiter(FixedLimit(policy.max_in_flight), clock)
        self._share = FairShare(policy.client_max_in_flight)

    @property
    def in_flight(self) -> int:
        return self._limiter.in_flight

    def enter(self, client: str) -> "GatePass":
        """Let one request in; end the visit exactly once. Raises ClientLimit, ConcurrencyLimit."""
        if not self._share.try_enter(client):
            raise ClientLimit
        try:
            permit = self._limiter.try_acquire()
        except BaseException:  # a limit that cannot be read costs nobody's share
            self._share.leave(client)
            raise
        if permit is None:
            self._share.leave(client)
            raise ConcurrencyLimit
        return GatePass(permit, self._share, client)

    def retune(self, policy: GatePolicy) -> None:
        self._limiter.limit = FixedLimit(policy.max_in_flight)
        self._share.limit = policy.client_max_in_flight


class GatePass:
    """One request's stay inside the gate."""

    __slots__ = ("_client", "_permit", "_share")

    def __init__(self, permit: InFlight, share: FairShare, client: str) -> None:
        self._permit = permit
        self._share = share
        self._client = client

    def end(self, status: int | None, reason: str | None = None) -> None:
        """Leave, answered with `status`, or None if the caller left first; `reason` of a problem.

        A limit that adapts must not shrink because a dependency is broken.
        """
        self._share.leave(self._client)
        if status in (503, 504) and reason not in NOT_FOR_LOAD:
            self._permit.drop()
        elif status is None or status >= 400:
            self._permit.ignore()
        else:
            self._permit.success()
