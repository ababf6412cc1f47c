"""From the settings to the slice that each pattern receives, never the whole."""

from bpdemo.core.settings import Settings
from bpdemo.downstream.faults import FaultPolicy
from bpdemo.downstream.payment import PaymentPolicy
from bpdemo.flow.backoff import BackoffPolicy
from bpdemo.flow.breaker import BreakerPolicy
from bpdemo.flow.budget import BudgetPolicy
from bpdemo.flow.cache import CachePolicy
from bpdemo.flow.codel import CoDelPolicy
from bpdemo.flow.guard import GuardPolicy
from bpdemo.flow.queue import QueuePolicy
from bpdemo.service.gate import GatePolicy
from bpdemo.service.intake import IntakePolicy
from bpdemo.service.tuning import Tuning


def tuning(s: Settings) -> Tuning:
    """Everything of the service that can be turned while it runs."""
    return Tuning(
        workers=s.workers,
        request_timeout_s=s.request_timeout_s,
        expected_service_s=s.payment_latency_s + s.store_latency_s,
        gate=GatePolicy(s.max_in_flight, s.client_max_in_flight),
        intake=IntakePolicy(s.queue_policy, s.queue_block_timeout_s, s.drop_on_disconnect),
        queue=_queue(s),
        guard=GuardPolicy(
            s.attempt_timeout_s,
            BackoffPolicy(s.retry_attempts, s.retry_base_s, s.retry_cap_s, s.retry_jitter),
        ),
        budget=BudgetPolicy(s.retry_budget_enabled, s.retry_budget_ratio, s.retry_budget_min_per_s),
        breaker=_breaker(s),
        cache=CachePolicy(s.cache_ttl_s, s.cache_stale_s, s.cache_capacity),
        async_queue_capacity=s.async_queue_capacity,
    )


def payment_policy(s: Settings) -> PaymentPolicy:
    return PaymentPolicy(s.payment_latency_s, s.payment_latency_distribution)


def faults_of_payment(s: Settings) -> FaultPolicy:
    return FaultPolicy(failure_rate=s.payment_failure_rate, outage=s.payment_outage)


def faults_of_store(s: Settings) -> FaultPolicy:
    return FaultPolicy(s.store_latency_s, s.store_failure_rate, s.store_outage)


def _queue(s: Settings) -> QueuePolicy:
    codel = CoDelPolicy(s.codel_target_s, s.codel_interval_s)
    return QueuePolicy(s.queue_capacity, s.queue_discipline, s.queue_block_waiters, codel)


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
