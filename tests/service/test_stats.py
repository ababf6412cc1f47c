"""What `GET /stats` tells: the contract's keys, and the truth."""

import asyncio

import pytest

from bpdemo.core.events import MoneyOwed
from bpdemo.telemetry import gauges
from bpdemo.telemetry.metrics import Metrics
from tests.service.stage import opened
from tests.support.virtual import virtual


@virtual
async def test_the_stats_have_the_contracts_keys_and_true_figures() -> None:
    """One runs, one waits, one was refused."""
    async with opened(queue_capacity=1) as stage:
        await stage.come(3)
        await asyncio.sleep(0.1)
        assert stage.office.stats() == {
            "books": {
                "received": 3, "waiting": 0, "rejected": 1, "admitted": 2, "success": 0,
                "failure": 0, "expired": 0, "abandoned": 0, "shed": 0, "queued": 1, "running": 1,
            },
            "queue": {"depth": 1, "capacity": 1},
            "workers": {"total": 1, "busy": 1},
            "in_flight": 0,
            "limit": 0,
            "breakers": {"payment": "closed", "store": "closed"},
            "payments": {"charged": 1, "refunded": 0},
            "nominal_capacity": 1.0,
            "mean_service_s": 1.0,
        }  # fmt: skip


@virtual
async def test_the_service_tells_its_capacity_and_its_mean_service_time() -> None:
    """Capacity follows the knobs at once; the mean starts from them and follows what orders take.

    Where an order takes no time there is no capacity to tell.
    """
    knobs = {"workers": 8, "payment_latency_s": 0.04, "store_latency_s": 0.01}
    async with opened(**knobs) as stage:
        told = stage.office.stats()
        assert told["nominal_capacity"] == pytest.approx(160)
        assert told["mean_service_s"] == pytest.approx(0.05)
        stage.turn(workers=4, payment_latency_s=0.39)
        assert stage.office.stats()["nominal_capacity"] == pytest.approx(10)
        await stage.come(1)
        await stage.everybody_answered()
        assert stage.office.stats()["mean_service_s"] > 0.05
        stage.turn(payment_latency_s=0.0, store_latency_s=0.0)
        assert stage.office.stats()["nominal_capacity"] is None


@virtual
async def test_stats_and_gauges_are_one_snapshot() -> None:
    """Every gauge shows what the snapshot says, field by field, while orders run and wait."""
    async with opened(workers=2, queue_capacity=3) as stage:
        await stage.come(4)
        await asyncio.sleep(0.1)
        metrics = Metrics()
        metrics.watch(stage.office.snapshot)
        now, shown = stage.office.snapshot(), metrics.registry.get_sample_value
        for name in gauges.PLAIN:
            assert shown(f"bpdemo_{name}") == getattr(now, name)
        for dependency, state in now.breakers.items():
            labels: dict[str, str] = {"dependency": dependency, "state": state}
            assert shown("bpdemo_breaker_state", labels) == 1
        stats = stage.office.stats()
        assert (stats["queue"]["depth"], stats["workers"]["busy"]) == (2, 2)
        assert (now.queue_depth, now.workers_busy) == (2, 2)


@virtual
async def test_in_flight_is_what_the_gate_has_let_in() -> None:
    """Requests, not orders: the gate counts anyone who is inside."""
    async with opened() as stage:
        visit = stage.office.gate.enter("a")
        assert stage.office.stats()["in_flight"] == 1
        visit.end(200)
        assert stage.office.stats()["in_flight"] == 0


@virtual
async def test_nothing_is_owed_on_a_good_day() -> None:
    """Twenty plain sales: no debt is ever made."""
    async with opened(queue_capacity=20) as stage:
        await stage.come(20)
        await stage.everybody_answered()
        assert not stage.heard(MoneyOwed)
        assert stage.office.stats()["payments"] == {"charged": 20, "refunded": 0}
