"""From the settings to the slice that each pattern receives, never the whole.

Each field is named here once, with the setting that it comes from: policies have no defaults. Two
slices stand where they are needed, since their patterns load what not every service has: the pool's
in `office`, the door's in `app`.
"""

from bpdemo.core.ports import Observer
from bpdemo.core.settings import Settings
from bpdemo.downstream.faults import FaultPolicy
from bpdemo.downstream.payment import PaymentPolicy
from bpdemo.downstream.pooled import ConnectionPool
from bpdemo.flow.backoff import BackoffPolicy
from bpdemo.flow.breaker import BreakerPolicy
from bpdemo.flow.budget import BudgetPolicy
from bpdemo.flow.cache import CachePolicy
from bpdemo.flow.codel import CoDelPolicy
from bpdemo.flow.guard import GuardPolicy
from bpdemo.flow.limits.choice import LimitChoice
from bpdemo.flow.queue import QueuePolicy
from bpdemo.service.gate import GatePolicy
from bpdemo.service.intake import IntakePolicy
from bpdemo.service.tuning import Tuning


def tuning(s: Settings) -> Tuning:
    """Everything of the service that can be turned while it runs."""
    return Tuning(
        workers=s.workers,
        request_timeout_s=s.request_timeout_s,
        expected_service_s=s.expected_service_s,
        gate=GatePolicy(
            max_in_flight=s.max_in_flight,
            client_max_in_flight=s.client_max_in_flight,
            limit=_limit(s),
        ),
        intake=IntakePolicy(
            when_full=s.queue_policy,
            block_timeout_s=s.queue_block_timeout_s,
            drop_on_disconnect=s.drop_on_disconnect,
        ),
        queue=_queue(s),
        guard=_guard(s),
        budget=BudgetPolicy(
            enabled=s.retry_budget_enabled,
            ratio=s.retry_budget_ratio,
            min_per_s=s.retry_budget_min_per_s,
        ),
        breaker=_breaker(s),
        cache=CachePolicy(ttl_s=s.cache_ttl_s, stale_s=s.cache_stale_s, capacity=s.cache_capacity),
        async_queue_capacity=s.async_queue_capacity,
    )


def payment_policy(s: Settings) -> PaymentPolicy:
    return PaymentPolicy(latency_s=s.payment_latency_s, distribution=s.payment_latency_distribution)


def faults_of_payment(s: Settings) -> FaultPolicy:
    # Its latency is the provider's own, and in the payment's policy.
    return FaultPolicy(
        latency_s=0.0,
        failure_rate=s.payment_failure_rate,
        hang_rate=s.payment_hang_rate,
        outage=s.payment_outage,
    )


def faults_of_store(s: Settings) -> FaultPolicy:
    return FaultPolicy(
        latency_s=s.store_latency_s,
        failure_rate=s.store_failure_rate,
        hang_rate=0.0,
        outage=s.store_outage,
    )


def connection_pool(s: Settings, observer: Observer) -> ConnectionPool:
    """Before a store that has no pool of its own."""
    return ConnectionPool(s.pool_max, s.pool_acquire_timeout_s, observer)


def _limit(s: Settings) -> LimitChoice:
    # An order with a worker and one more waiting for it: enough to keep every worker busy.
    waiting = s.workers if s.queue_capacity < 0 else min(s.queue_capacity, s.workers)
    return LimitChoice(
        algorithm=s.limit_algorithm,
        start=s.max_in_flight or s.workers + waiting,
        low=s.limit_min,
        high=s.limit_max,
    )


def _queue(s: Settings) -> QueuePolicy:
    return QueuePolicy(
        capacity=s.queue_capacity,
        discipline=s.queue_discipline,
        waiters=s.queue_block_waiters,
        codel=CoDelPolicy(target_s=s.codel_target_s, interval_s=s.codel_interval_s),
    )


def _guard(s: Settings) -> GuardPolicy:
    backoff = BackoffPolicy(
        attempts=s.retry_attempts,
        base_s=s.retry_base_s,
        cap_s=s.retry_cap_s,
        jitter=s.retry_jitter,
    )
    return GuardPolicy(attempt_timeout_s=s.attempt_timeout_s, backoff=backoff)


def _breaker(s: Settings) -> BreakerPolicy:
    return BreakerPolicy(
        enabled=s.breaker_enabled,
        failure_ratio=s.breaker_failure_ratio,
        min_calls=s.breaker_min_calls,
        window_s=s.breaker_window_s,
        open_s=s.breaker_open_s,
        half_open_calls=s.breaker_half_open_calls,
        permit_ttl_s=s.attempt_timeout_s or s.breaker_open_s,
    )
