"""Policies as a service has them by default, for tests that care for one field or two.

Policies themselves have no defaults: those stand in the settings alone.
"""

from dataclasses import fields, replace
from functools import cache
from typing import Any, TypeVar

from bpdemo.assembly import slices
from bpdemo.assembly.app import door_policy
from bpdemo.assembly.storage import pool_policy
from bpdemo.core.settings import Settings
from bpdemo.downstream.connections import PoolPolicy
from bpdemo.downstream.faults import NO_FAULTS

P = TypeVar("P")


def usual(kind: type[P], **fields_of_it: Any) -> P:
    """The slice of that kind of the default settings, with some fields changed."""
    return replace(_defaults()[kind], **fields_of_it)


def pool(low: int, high: int, acquire_timeout_s: float, statement_timeout_s: float) -> PoolPolicy:
    """From `low` to `high` connections."""
    return PoolPolicy(
        min_size=low,
        max_size=high,
        acquire_timeout_s=acquire_timeout_s,
        statement_timeout_s=statement_timeout_s,
    )


@cache
def _defaults() -> dict[type[Any], Any]:
    settings = Settings()
    tuning = slices.tuning(settings)
    parts = [getattr(tuning, field.name) for field in fields(tuning)]
    found = [
        tuning,
        *parts,
        tuning.guard.backoff,
        tuning.queue.codel,
        slices.payment_policy(settings),
        pool_policy(settings),
        door_policy(settings),
        NO_FAULTS,
    ]
    return {type(policy): policy for policy in found}
