"""CoDel: stale work is shed from a standing queue, told so, and counted."""

import asyncio

import pytest

from bpdemo.core.events import JobStarted, OrderEnded
from tests.service.stage import opened, settle
from tests.support.virtual import virtual

CODEL = {
    "queue_discipline": "codel",
    "codel_target_s": 0.5,
    "codel_interval_s": 2.0,
    "queue_capacity": 1000,
}


@virtual
async def test_a_standing_queue_is_shed() -> None:
    """Three times capacity for a minute: many are shed, nobody who is served has waited long."""
    async with opened(**CODEL, payment_latency_s=0.1) as stage:
        for _ in range(1800):
            stage.comes()
            await asyncio.sleep(1 / 30)
        await stage.everybody_answered()
        fates = [c.fate for c in stage.customers]
        assert set(fates) == {201, "queue_shed"}
        assert stage.books.shed == fates.count("queue_shed")
        assert 0.9 * 600 < stage.books.success < 1.1 * 600  # the worker never idles
        waits = [e.queue_s for e in stage.heard(OrderEnded) if e.outcome == "success"]
        assert max(waits[50:]) < 1.0
        assert len(stage.heard(JobStarted)) == stage.books.success


@virtual
async def test_a_burst_is_not_shed() -> None:
    """Fifteen at once are served within the interval: a queue may absorb that."""
    async with opened(**CODEL, payment_latency_s=0.1) as stage:
        await stage.come(15)
        await stage.everybody_answered()
        assert stage.books.shed == 0


@virtual
async def test_no_worker_is_left_without_work_by_shedding() -> None:
    """However stale the last one is, an idle worker takes it."""
    async with opened(**CODEL) as stage:
        await stage.come(2)
        await asyncio.sleep(0.5)
        stage.turn(codel_target_s=0.0, codel_interval_s=0.0)
        await stage.everybody_answered()
        assert [c.fate for c in stage.customers] == [201, 201]


@virtual
async def test_the_shed_hear_a_503_with_advice_and_free_their_places() -> None:
    """`queue_shed` is a no after admission: in the books `shed`, not `rejected`."""
    async with opened(**{**CODEL, "queue_capacity": 5, "codel_interval_s": 0.5}) as stage:
        await stage.come(6, key=None)
        assert stage.comes().fate == "queue_full"
        await asyncio.sleep(1.5)
        shed = [c for c in stage.customers if c.fate == "queue_shed"]
        assert len(shed) == 4
        assert all(c.retry_after_s and c.retry_after_s >= 1 for c in shed)
        assert stage.column()["shed"] == 4
        assert stage.office.queue_depth == 0
        await stage.everybody_answered()


@virtual
async def test_all_callers_of_a_shed_job_are_told() -> None:
    """Duplicates share its fate, and the key is free again."""
    async with opened(**{**CODEL, "codel_interval_s": 0.5}) as stage:
        await stage.come(1)
        twins = await stage.come(2, key="k")
        await stage.come(1)
        await asyncio.sleep(1.1)
        assert [c.fate for c in twins] == ["queue_shed"] * 2
        assert stage.column()["shed"] == 2
        again = stage.comes(key="k", item_id=2)
        await settle()
        await stage.everybody_answered()
        assert again.fate in (201, "queue_shed")
        assert again.fate != "invalid_request"


@pytest.mark.parametrize("discipline", ["fifo", "lifo", "priority"])
@virtual
async def test_only_codel_sheds(discipline: str) -> None:
    """The others let everybody wait for as long as it takes."""
    async with opened(**{**CODEL, "queue_discipline": discipline}) as stage:
        await stage.come(30)
        await stage.everybody_answered()
        assert stage.books.success == 30
