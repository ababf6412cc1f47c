"""A guard with its own breaker and budget for each dependency, the same in service and worker."""

from collections.abc import Callable
from random import Random

from bpdemo.core.events import Dependency
from bpdemo.core.ports import Observer, Tracer
from bpdemo.flow.breaker import Breaker
from bpdemo.flow.budget import RetryBudget
from bpdemo.flow.guard import Guard
from bpdemo.service.tuning import Tuning


def make_guard(
    dependency: Dependency,
    tuning: Tuning,
    *,
    clock: Callable[[], float],
    rng_for: Callable[[str], Random],
    observer: Observer,
    tracer: Tracer,
) -> Guard:
    """The guard that stands before `dependency`."""
    return Guard(
        dependency,
        tuning.guard,
        Breaker(tuning.breaker, dependency, clock, observer),
        RetryBudget(tuning.budget, clock),
        clock=clock,
        rng=rng_for(f"{dependency} backoff"),
        observer=observer,
        tracer=tracer,
    )
