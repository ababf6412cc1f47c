"""Each field of each slice comes from its own setting, and from no other."""

from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_args

import pytest

from bpdemo.assembly import slices
from bpdemo.assembly.app import door_policy
from bpdemo.assembly.storage import pool_policy
from bpdemo.core.settings import Settings

#: Every field of every slice, with the setting behind it. A field that is not here fails the test.
SOURCES = {
    "tuning.workers": "workers",
    "tuning.request_timeout_s": "request_timeout_s",
    "tuning.async_queue_capacity": "async_queue_capacity",
    "tuning.gate.max_in_flight": "max_in_flight",
    "tuning.gate.client_max_in_flight": "client_max_in_flight",
    "tuning.gate.limit.algorithm": "limit_algorithm",
    "tuning.gate.limit.low": "limit_min",
    "tuning.gate.limit.high": "limit_max",
    "tuning.intake.when_full": "queue_policy",
    "tuning.intake.block_timeout_s": "queue_block_timeout_s",
    "tuning.intake.drop_on_disconnect": "drop_on_disconnect",
    "tuning.queue.capacity": "queue_capacity",
    "tuning.queue.discipline": "queue_discipline",
    "tuning.queue.waiters": "queue_block_waiters",
    "tuning.queue.codel.target_s": "codel_target_s",
    "tuning.queue.codel.interval_s": "codel_interval_s",
    "tuning.guard.attempt_timeout_s": "attempt_timeout_s",
    "tuning.guard.backoff.attempts": "retry_attempts",
    "tuning.guard.backoff.base_s": "retry_base_s",
    "tuning.guard.backoff.cap_s": "retry_cap_s",
    "tuning.guard.backoff.jitter": "retry_jitter",
    "tuning.budget.enabled": "retry_budget_enabled",
    "tuning.budget.ratio": "retry_budget_ratio",
    "tuning.budget.min_per_s": "retry_budget_min_per_s",
    "tuning.breaker.enabled": "breaker_enabled",
    "tuning.breaker.failure_ratio": "breaker_failure_ratio",
    "tuning.breaker.min_calls": "breaker_min_calls",
    "tuning.breaker.window_s": "breaker_window_s",
    "tuning.breaker.open_s": "breaker_open_s",
    "tuning.breaker.half_open_calls": "breaker_half_open_calls",
    "tuning.breaker.permit_ttl_s": "attempt_timeout_s",
    "tuning.cache.ttl_s": "cache_ttl_s",
    "tuning.cache.stale_s": "cache_stale_s",
    "tuning.cache.capacity": "cache_capacity",
    "payment.latency_s": "payment_latency_s",
    "payment.distribution": "payment_latency_distribution",
    "payment_faults.hang_rate": "payment_hang_rate",
    "payment_faults.failure_rate": "payment_failure_rate",
    "payment_faults.outage": "payment_outage",
    "store_faults.latency_s": "store_latency_s",
    "store_faults.failure_rate": "store_failure_rate",
    "store_faults.outage": "store_outage",
    "pool.min_size": "pool_min",
    "pool.max_size": "pool_max",
    "pool.acquire_timeout_s": "pool_acquire_timeout_s",
    "pool.statement_timeout_s": "attempt_timeout_s",
    "door.read_timeout_s": "read_timeout_s",
    "door.max_body_bytes": "max_body_bytes",
}
#: Fields that are no setting as it stands, with the settings that move them.
WORKED_OUT = {
    "tuning.expected_service_s": {"payment_latency_s", "store_latency_s"},
    "tuning.gate.limit.start": {"max_in_flight", "workers"},
    "payment_faults.latency_s": set[str](),
    "store_faults.hang_rate": set[str](),
}


def policies(settings: Settings) -> dict[str, Any]:
    return {
        "tuning": slices.tuning(settings),
        "payment": slices.payment_policy(settings),
        "payment_faults": slices.faults_of_payment(settings),
        "store_faults": slices.faults_of_store(settings),
        "pool": pool_policy(settings),
        "door": door_policy(settings),
    }


def sliced(settings: Settings) -> dict[str, Any]:
    """Every field of every slice by its path."""
    return dict(leaves(policies(settings).items()))


def leaves(named: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in named:
        if is_dataclass(value):
            inside = ((field.name, getattr(value, field.name)) for field in fields(value))
            yield from leaves(inside, f"{above}{name}.")
        else:
            yield above + name, value


def other(name: str, value: Any) -> Any:
    """A value that this setting may have and has not, and that no other has."""
    words = get_args(Settings.model_fields[name].annotation)
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return next(word for word in words if word != value)
    if isinstance(value, int):
        return value + 1
    return value + 0.0123 * (-1 if name == "codel_target_s" or value >= 0.5 else 1)


def test_every_field_of_every_slice_has_its_setting():
    """None is left out of this table, and so none can be forgotten in what follows."""
    assert set(sliced(Settings())) == SOURCES.keys() | WORKED_OUT.keys()


@pytest.mark.parametrize("setting", sorted({*SOURCES.values(), *set().union(*WORKED_OUT.values())}))
def test_a_setting_reaches_its_fields_and_no_others(setting):
    """One setting is turned; just the fields that come from it follow, and show its value."""
    settings = Settings()
    value = other(setting, getattr(settings, setting))
    before, after = sliced(settings), sliced(Settings(**{setting: value}))
    moved = {path for path in after if after[path] != before[path]}
    mapped = {path for path, source in SOURCES.items() if source == setting}
    assert moved == mapped | {path for path, sources in WORKED_OUT.items() if setting in sources}
    assert {path: after[path] for path in mapped} == dict.fromkeys(mapped, value)


def test_what_is_worked_out():
    """The service an order needs is payment and store; an attempt without a limit has a permit
    for as long as the breaker is open."""
    settings = Settings(payment_latency_s=0.03, store_latency_s=0.02, attempt_timeout_s=0)
    assert sliced(settings)["tuning.expected_service_s"] == pytest.approx(0.05)
    assert sliced(settings)["tuning.breaker.permit_ttl_s"] == settings.breaker_open_s
    assert sliced(settings)["payment_faults.latency_s"] == 0


@pytest.mark.parametrize("path", sorted({path.rpartition(".")[0] for path in SOURCES}))
def test_a_policy_has_no_defaults_of_its_own(path):
    """They stand in the settings alone, and each field must be given by its name."""
    first, *rest = path.split(".")
    policy = policies(Settings())[first]
    for name in rest:
        policy = getattr(policy, name)
    for field in fields(policy):
        assert field.kw_only
        assert field.default is MISSING
        assert field.default_factory is MISSING
