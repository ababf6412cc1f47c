"""What `GET /stats` tells: the contract's keys, and the truth."""

import asyncio

from bpdemo.core.events import MoneyOwed
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
            "breakers": {"payment": "closed", "store": "closed"},
            "payments": {"charged": 1, "refunded": 0},
        }  # fmt: skip


@virtual
async def test_in_flight_is_what_the_gate_has_let_in() -> None:
    """Requests, not orders: the gate counts whoever is inside."""
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
