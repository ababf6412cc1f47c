"""A cache that was flushed: that each item is loaded once for all who ask (*coalescing*) brings it
back by itself, where the store can load the whole catalogue within one attempt timeout."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bpdemo.core.settings import Settings
from bpdemo.flow.cache import ReadThroughCache, _Entry
from bpdemo.plan.fates import OK
from bpdemo.sim.play import play

#: Three connections of a tenth of a second: thirty loads a second, so that the hundred items take
#: longer than three seconds. Orders need the store, too.
SHOP: dict[str, Any] = {
    "workers": 4, "queue_capacity": 4, "payment_latency_s": 0.04, "pool_max": 3,
    "pool_acquire_timeout_s": 0.0, "attempt_timeout_s": 3.5, "retry_attempts": 1,
    "cache_ttl_s": 300.0,
}  # fmt: skip
CROWD: dict[str, Any] = {
    "rate": 4.0, "browse_per_s": 300.0, "client_timeout_s": 5.0, "seconds": 28.0,
}  # fmt: skip
STORE_S = 0.1
WARM_S, FLUSHED_S, LATER_S = 4.0, 8.0, 20.0
SEEDS = (0, 1)

pytestmark = pytest.mark.slow


@pytest.fixture
def each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No coalescing: each one who misses loads for themselves."""

    async def load_alone(
        cache: ReadThroughCache[Any, Any], key: Any, load: Callable[[], Awaitable[Any]]
    ) -> Any:
        value = await load()
        cache._entries[key] = _Entry(value, cache._clock())
        return value

    monkeypatch.setattr(ReadThroughCache, "_join", load_alone)


def served_share(seed: int, *, flush: bool = True, **turned: Any) -> float:
    """Of orders, from 12 s after the flush on. Until `WARM_S` the store is fast, so that the
    cache is full."""
    settings = Settings.unprotected(**SHOP | turned, store_latency_s=0.001)
    full = settings.cache_capacity
    flushed: list[tuple[float, dict[str, Any]]] = [
        (FLUSHED_S, {"cache_capacity": 1}),
        (FLUSHED_S, {"cache_capacity": full}),
    ]
    changes: list[tuple[float, dict[str, Any]]] = [
        (WARM_S, {"store_latency_s": STORE_S}),
        *(flushed if flush else []),
    ]
    played = play(settings, **CROWD, seed=seed, changes=changes)
    late = [order.fate == OK for order in played.orders if order.t_s >= LATER_S]
    return sum(late) / len(late)


@pytest.mark.usefixtures("each_alone")
def test_without_coalescing_a_flush_sticks() -> None:
    """All load what somebody loads already, and nearly every load comes too late to fill."""
    assert max(served_share(seed) for seed in SEEDS) < 0.5


@pytest.mark.usefixtures("each_alone")
def test_without_coalescing_a_warm_cache_stays_well() -> None:
    """So it was the flush, and not the load."""
    assert min(served_share(seed, flush=False) for seed in SEEDS) > 0.95


def test_coalescing_alone_brings_it_back() -> None:
    """The same service, crowd and flush."""
    assert min(served_share(seed) for seed in SEEDS) > 0.95


def test_coalescing_does_not_help_where_the_catalogue_takes_too_long() -> None:
    """With half a second for each attempt, 15 of the 100 items are loaded in time, and all others
    are asked for again and again, each time too late. A warm cache stays well here, too."""
    assert served_share(0, attempt_timeout_s=0.5) < 0.5
    assert served_share(0, attempt_timeout_s=0.5, flush=False) > 0.95
