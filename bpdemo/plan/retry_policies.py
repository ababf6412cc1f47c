"""What well-known client libraries do when calls fail: who may try again, and who may call at all.

Each is pure, and one object stands for a whole client library: a gateway, say, which all these
callers go through. How long a retry waits is the plan's `backoff`, not the policy's.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from bpdemo.core.choices import RetryPolicyName
from bpdemo.plan.fates import CALLER_LEFT, is_worth_retrying

#: Stand where status and reason would, of a call that the client itself did not make.
UNSENT_STATUS: Final = 503
UNSENT_REASON: Final = "client_throttled"
THROTTLED: Final = 429


class RetryPolicy(Protocol):
    """Asked before each attempt and before each retry, told of every answer. `now` in seconds."""

    def may_call(self, now: float) -> bool:
        """Whether an attempt may be made at all."""
        ...

    def hear(self, status: int, now: float, after: int | None = None) -> None:
        """An attempt ended so. `after` is what the one before it ended with; None for a first."""
        ...

    def may_retry(self, status: int, now: float) -> bool:
        """Whether to try again after `status`; spends what that costs."""
        ...


class NoPolicy:
    """Every retry that the plan allows."""

    def may_call(self, now: float) -> bool:
        return True

    def hear(self, status: int, now: float, after: int | None = None) -> None:
        pass

    def may_retry(self, status: int, now: float) -> bool:
        return True


class SreThrottling(NoPolicy):
    """Adaptive throttling of Google's *Site Reliability Engineering*, chapter 21.

    A call, a first attempt too, is rejected by the client itself with probability

        max(0, (requests − K · accepts) / (requests + 1))

    over the last two minutes; what it rejects counts among the requests. **Defaults:** K 2 (1.1
    where a refusal costs much), 120 s. **Known trouble:** it answers to an overload, and to its
    end, only as fast as the window moves, where nothing rejects: it expects a backend that does. A
    request counts when it is sent and an accept when the answer comes, so the first calls of all
    are throttled too; and a local rejection that is retried counts as a request once more.
    """

    WINDOW_S: Final = 120.0

    def __init__(self, rng: random.Random, k: float = 2.0) -> None:
        self._k = k
        self._rng = rng
        self._requests: deque[float] = deque()
        self._accepts: deque[float] = deque()

    def may_call(self, now: float) -> bool:
        requests, accepts = _since(self._requests, now - self.WINDOW_S), self._accepts
        _since(accepts, now - self.WINDOW_S)
        share = (len(requests) - self._k * len(accepts)) / (len(requests) + 1)
        requests.append(now)
        return share <= 0 or self._rng.random() >= share

    def hear(self, status: int, now: float, after: int | None = None) -> None:
        if not is_worth_retrying(status):
            self._accepts.append(now)


class GrpcTokens(NoPolicy):
    """Retry throttling of gRPC (proposal A6).

    A bucket of `most` tokens: a failure takes one, a success gives back `ratio`, and there are
    retries only while it is more than half full. **Defaults:** 10 and 0.1, the usual ones; the
    service sets them. **Known trouble:** no guidance for either (grpc-go #7539).
    """

    def __init__(self, most: float = 10.0, ratio: float = 0.1) -> None:
        self._most = self._tokens = most
        self._ratio = ratio

    def hear(self, status: int, now: float, after: int | None = None) -> None:
        change = -1 if is_worth_retrying(status) else self._ratio
        self._tokens = max(0.0, min(self._most, self._tokens + change))

    def may_retry(self, status: int, now: float) -> bool:
        return self._tokens > self._most / 2


class AwsBucket(NoPolicy):
    """The retry quota of the AWS SDKs' standard mode.

    A bucket of 500: a retry takes `cost`, `timeout_cost` after a timeout, or 5 after a 429; a
    success gives back what its own retry took, and 1 if it took none. **Defaults:** a cost of 14
    since November 2026, whatever failed; before, 5, and 10 after a timeout (as botocore, Go and
    JavaScript had it). Theirs are three attempts with full jitter from 50 ms, formerly from 1 s.
    **Known trouble:** the full bucket lets 35 retries (formerly a hundred, or 50 after timeouts)
    into the first moment of any outage.
    """

    MOST: Final = 500.0

    def __init__(self, cost: float = 14.0, timeout_cost: float | None = None) -> None:
        self._cost = cost
        self._timeout_cost = cost if timeout_cost is None else timeout_cost
        self._left = self.MOST

    def hear(self, status: int, now: float, after: int | None = None) -> None:
        if not is_worth_retrying(status):
            given = 1.0 if after is None else self._cost_after(after)
            self._left = min(self.MOST, self._left + given)

    def may_retry(self, status: int, now: float) -> bool:
        cost = self._cost_after(status)
        if cost > self._left:
            return False
        self._left -= cost
        return True

    def _cost_after(self, status: int) -> float:
        if status == THROTTLED:
            return 5.0
        return self._timeout_cost if status == CALLER_LEFT else self._cost


class LinkerdBudget(NoPolicy):
    """The retry budget of Linkerd and Finagle.

    In the last ten seconds at most `ratio` of the first attempts are retried, and `min_per_s` a
    second besides. A first attempt counts when it ends, here. **Defaults:** 0.2 and 10. **Known
    trouble:** the floor is each client's own: a thousand small ones may retry ten thousand times a
    second.
    """

    TTL_S: Final = 10.0

    def __init__(self, ratio: float = 0.2, min_per_s: float = 10.0) -> None:
        self._ratio = ratio
        self._floor = min_per_s * self.TTL_S
        self._firsts: deque[float] = deque()
        self._retries: deque[float] = deque()

    def hear(self, status: int, now: float, after: int | None = None) -> None:
        if after is None:
            self._firsts.append(now)

    def may_retry(self, status: int, now: float) -> bool:
        firsts = _since(self._firsts, now - self.TTL_S)
        retries = _since(self._retries, now - self.TTL_S)
        if len(retries) + 1 > self._floor + self._ratio * len(firsts):
            return False
        retries.append(now)
        return True


_MAKERS: Final[dict[RetryPolicyName, Callable[[random.Random], RetryPolicy]]] = {
    "sre_throttling": SreThrottling,
    "grpc_tokens": lambda _: GrpcTokens(),
    "aws_bucket": lambda _: AwsBucket(),
    "aws_bucket_2025": lambda _: AwsBucket(cost=5.0, timeout_cost=10.0),
    "linkerd_budget": lambda _: LinkerdBudget(),
}


def policy_of(name: RetryPolicyName | None, rng: random.Random) -> RetryPolicy:
    """A new one at its defaults; None lets everything pass."""
    return NoPolicy() if name is None else _MAKERS[name](rng)


def require_retries(name: RetryPolicyName | None, retries: int) -> None:
    """ValueError for a policy that governs retries alone, where there are none: it would do
    nothing."""
    is_idle = type(policy_of(name, random.Random(0))).may_call is NoPolicy.may_call
    if name is not None and not retries and is_idle:
        raise ValueError(
            f"retries must be at least 1 with retry_policy {name}, not 0: the policy says which "
            "retries are made, and there are none"
        )


def _since(times_s: deque[float], earliest_s: float) -> deque[float]:
    """Without those before."""
    while times_s and times_s[0] < earliest_s:
        times_s.popleft()
    return times_s
