"""What is certain of the rest of an ordeal: when its orders will come is known, and how long they
take a worker is, too, or at least how short that may be.

Asked only of services for which it can be proven; of all others nothing is foretold, and a run goes
on until the orders of its window have decided it.

- *It stays stuck*: each try of the orders to come, up to those that decide, finds so much work
  before it that its client will have left. So each of them comes as often as it may, which is what
  was assumed. Oldest first, and jobs that all take their full time.
- *It stays well*: were each worker busy with one job more from now on, all orders to come would
  still find a place and be served in time. So nobody tries again, which is what was assumed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from heapq import heapreplace, merge
from math import inf, sqrt
from typing import Any, Final

from bpdemo.core.settings import NAIVE, Settings
from bpdemo.plan.plan import Plan

#: A try that is called late is in time with a chance of e⁻²⁴ at most.
SURE: Final = 24.0
#: At least the squared coefficient of variation of each distribution of service times.
SCATTER: Final = 4.0

#: What neither refuses an order nor makes one shorter, as long as no call fails. Whatever is not
#: named here must be at its default, so that a knob to come is no hole.
_HARMLESS: Final = frozenset({
    "workers", "payment_latency_s", "store_latency_s", "payment_latency_distribution", "seed",
    "queue_policy", "queue_block_timeout_s", "queue_block_waiters", "codel_target_s",
    "codel_interval_s", "async_queue_capacity", "limit_min", "limit_max", "retry_attempts",
    "retry_base_s", "retry_cap_s", "retry_jitter", "retry_budget_enabled", "retry_budget_ratio",
    "retry_budget_min_per_s", "breaker_failure_ratio", "breaker_min_calls", "breaker_window_s",
    "breaker_open_s", "breaker_half_open_calls", "initial_stock", "cache_ttl_s", "cache_capacity",
    "cache_stale_s", "drain_timeout_s", "read_timeout_s", "max_body_bytes", "admin_token",
    "database_url", "log_format", "log_level", "traces", "pool_min", "pool_max",
    "pool_acquire_timeout_s",
})  # fmt: skip
#: Of the naive service, in which a queue only grows or is worked on.
_NAIVE: Final[Mapping[str, Any]] = {
    name: NAIVE[name]
    for name in (
        "queue_capacity", "request_timeout_s", "attempt_timeout_s", "drop_on_disconnect",
        "breaker_enabled",
    )
}  # fmt: skip
_LATENCIES: Final = frozenset({"payment_latency_s", "store_latency_s"})


class Foresight:
    """Of one service and one plan, with orders due at `due_s`, of which the last `in_window` decide
    by their half. The `trigger` is over at `over_s`."""

    def __init__(
        self,
        settings: Settings,
        plan: Plan,
        trigger: Mapping[str, Any],
        over_s: float,
        due_s: Sequence[float],
        in_window: int,
    ) -> None:
        self._due_s = due_s
        self._workers = settings.workers
        self._takes_s = settings.expected_service_s
        self._plan = plan
        before = self._before = len(due_s) - in_window
        self._till_lost = before + (in_window + 1) // 2
        self._till_served = before + in_window // 2 + 1
        is_known = in_window > 0 and trigger.keys() <= _LATENCIES and _never_fails(settings, plan)
        self._may_stick = is_known and _is_naive(settings, plan)
        self._may_be_well = is_known and settings.payment_latency_distribution == "constant"
        slow_s = {name: trigger.get(name, getattr(settings, name)) for name in _LATENCIES}
        cut_s = settings.attempt_timeout_s or inf
        if max(settings.payment_latency_s, settings.store_latency_s, *slow_s.values()) >= cut_s:
            self._may_be_well = False
        #: From here on whatever is worked on began after the trigger.
        self._not_before_s = over_s + sum(slow_s.values())
        self._patience_s = min(plan.client_timeout_s, settings.request_timeout_s or inf)
        self._places = inf if settings.queue_capacity < 0 else max(1, settings.queue_capacity)
        is_constant = settings.payment_latency_distribution == "constant"
        self._scatter = 0.0 if is_constant else 2 * SURE * (1 + SCATTER)

    def stays_stuck(self, now_s: float, depth: int) -> bool:
        """With so many in the queue: half of the orders of the window will be lost."""
        first = bisect_right(self._due_s, now_s)
        if not self._may_stick or first > self._before:
            return False  # in the window itself its orders decide soon
        timeout_s = self._plan.client_timeout_s
        coming_s = self._due_s[first : self._till_lost]
        if now_s + self._least_s(depth) <= coming_s[0] + timeout_s:
            return False
        rounds = range(self._plan.retries + 1)
        tries_s = merge(*([due_s + n * timeout_s for due_s in coming_s] for n in rounds))
        return all(
            now_s + self._least_s(ahead) > try_s + timeout_s
            for ahead, try_s in enumerate(tries_s, depth)
        )

    def _least_s(self, ahead: int) -> float:
        """How long those before one in the queue take at least, all but the last few.

        The sum of n times that are not negative falls short of its mean by x with a chance of
        exp(-x² / 2n·E[X²]) at most.
        """
        jobs = max(0, ahead - self._workers)
        work_s = self._takes_s * (jobs - sqrt(self._scatter * jobs))
        return work_s / self._workers

    def stays_well(self, now_s: float) -> bool:
        """With nobody in the queue, nor waiting to try again: more than half will be served."""
        first = bisect_right(self._due_s, now_s)
        if not self._may_be_well or now_s <= self._not_before_s or first > self._before:
            return False
        free_s = [now_s + self._takes_s] * self._workers
        begin_s: deque[float] = deque()  # of those that wait, when they begin
        for due_s in self._due_s[first : self._till_served]:
            while begin_s and begin_s[0] <= due_s:
                begin_s.popleft()
            begins_s = max(due_s, free_s[0])
            heapreplace(free_s, begins_s + self._takes_s)
            if begins_s > due_s:
                begin_s.append(begins_s)
            is_late = begins_s + self._takes_s >= due_s + self._patience_s
            if is_late or len(begin_s) >= self._places:
                self._not_before_s = due_s  # until then it would be the same
                return False
        return True


def _never_fails(settings: Settings, plan: Plan) -> bool:
    """No call does, no order is refused but for want of a place, and all are first come, first
    served, with one job each."""
    fields = type(settings).model_fields
    turned = {name for name in fields if getattr(settings, name) != fields[name].default}
    tries = 2 * plan.rate_per_s * plan.seconds * (plan.retries + 1)
    return (
        turned <= _HARMLESS | _NAIVE.keys()
        and "pool_max" not in settings.model_fields_set  # which would bound the store
        and tries < settings.initial_stock
        and plan.scenario == "steady"
        and not (plan.send_deadline or plan.browse_per_s)
        and plan.retry_policy is None
    )


def _is_naive(settings: Settings, plan: Plan) -> bool:
    return (
        all(getattr(settings, name) == value for name, value in _NAIVE.items())
        and not plan.send_keys  # a retry would join its job
        and plan.backoff == "none"
        and plan.retry_budget is None
    )
