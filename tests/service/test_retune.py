"""Knobs turned under load: no admitted order is lost, and the books balance at every sample."""

import asyncio
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.events import JobStarted, OrderAdmitted, OrderEnded
from tests.service.stage import Stage, opened, settle
from tests.support.virtual import virtual

SEQUENCES: dict[str, list[dict[str, Any]]] = {
    "workers 8, 2, 16": [{"workers": 2}, {"workers": 16}],
    "queue 32, 4, 64": [{"queue_capacity": 4}, {"queue_capacity": 64}],
    "both, against each other": [
        {"workers": 2, "queue_capacity": 64},
        {"workers": 16, "queue_capacity": 4},
    ],
    "disciplines": [
        {"queue_discipline": name}
        for name in ("lifo", "priority", "codel", "adaptive_lifo", "fifo", "priority")
    ],
    "policies": [{"queue_policy": "block"}, {"queue_policy": "reject"}, {"queue_policy": "block"}],
    "no queue, no bound": [{"queue_capacity": 0}, {"queue_capacity": -1}],
    "deadlines": [{"request_timeout_s": 0.1}, {"request_timeout_s": 0.0}],
    "everything": [
        {"workers": 1, "queue_discipline": "lifo", "queue_policy": "block", "retry_attempts": 1},
        {"workers": 30, "queue_capacity": 0, "breaker_enabled": False, "cache_ttl_s": 0.0},
    ],
}


@pytest.mark.parametrize("name", SEQUENCES)
@virtual
async def test_nothing_is_lost_when_knobs_turn_under_load(name: str) -> None:
    """At twice capacity, turned every 0.4 s: every caller is answered, and every admitted one has
    exactly one end."""
    rng = Random(name)
    knobs = {"workers": 8, "queue_capacity": 32, "payment_latency_s": 0.04}
    async with opened(**knobs, request_timeout_s=2.0) as stage:
        turns = asyncio.create_task(_turn_in_time(stage, SEQUENCES[name]))
        while not turns.done():
            customer = stage.comes(
                priority=rng.randint(0, 3), key=rng.choice((None, None, f"k{rng.randint(0, 9)}"))
            )
            if customer.caller and rng.random() < 0.05:
                asyncio.get_running_loop().call_later(0.02, customer.hang_up)
            assert stage.books.balanced
            await asyncio.sleep(rng.expovariate(400.0))
        await turns
        await stage.everybody_answered()
        ended = stage.heard(OrderEnded)
        assert len(stage.heard(OrderAdmitted)) == len(ended) == stage.books.admitted
        assert len({e.request_id for e in ended}) == len(ended)
        assert stage.office.workers == stage.assembly.settings.workers
        assert stage.office.workers_busy == 0


async def _turn_in_time(stage: Stage, sequence: list[dict[str, Any]]) -> None:
    for knobs in [*sequence, *sequence]:
        await asyncio.sleep(0.4)
        stage.turn(**knobs)
        assert stage.books.balanced
    await asyncio.sleep(0.4)


@virtual
async def test_a_shrunk_queue_admits_nobody_until_it_has_fallen() -> None:
    """Depth may stand above capacity; the surplus is served, not dropped."""
    async with opened(queue_capacity=4) as stage:
        await stage.come(5)
        stage.turn(queue_capacity=1)
        assert stage.office.queue_depth == 4
        fates = []
        for _ in range(5):
            await asyncio.sleep(0.5)
            refused = stage.comes()
            await settle()
            fates.append(refused.fate)
            await asyncio.sleep(0.5)
        # At 4.5 one runs and none waits, so that the last of these has a place.
        assert fates == ["queue_full"] * 4 + [None]
        await stage.everybody_answered()


@virtual
async def test_fewer_workers_finish_what_they_have_begun() -> None:
    """Four run, two are wanted: all four are sold, and then no more than two run at once."""
    async with opened(workers=4, queue_capacity=8) as stage:
        await stage.come(8)
        stage.turn(workers=2)
        assert stage.office.workers_busy == 4
        await asyncio.sleep(1.5)
        assert stage.office.workers_busy == 2
        await stage.everybody_answered()
        assert [c.answered_s for c in stage.customers] == pytest.approx([1.0] * 4 + [2, 2, 3, 3])


@virtual
async def test_more_workers_take_from_the_queue_at_once() -> None:
    """Growing needs no arrival to be felt."""
    async with opened(queue_capacity=4) as stage:
        await stage.come(4)
        stage.turn(workers=4)
        await settle()
        assert (stage.office.workers_busy, stage.office.queue_depth) == (4, 0)
        await stage.everybody_answered()


@pytest.mark.parametrize(
    ("before", "after"), [((8, 0), (1, 7)), ((1, 7), (8, 0)), ((8, 4), (2, 8)), ((2, 8), (8, 1))]
)
@virtual
async def test_workers_and_capacity_turn_in_one_step(
    before: tuple[int, int], after: tuple[int, int]
) -> None:
    """Policy block: no place exists for an instant that neither the old nor the new knobs give."""
    async with opened(
        workers=before[0],
        queue_capacity=before[1],
        queue_policy="block",
        queue_block_timeout_s=60.0,
    ) as stage:
        await stage.come(30)
        assert stage.books.admitted == sum(before)
        stage.turn(workers=after[0], queue_capacity=after[1])
        await settle()
        assert stage.books.admitted == max(sum(before), sum(after))
        await stage.everybody_answered()


@virtual
async def test_another_discipline_takes_the_queue_over_as_it_stands() -> None:
    """Newest first from now on: those who came last are served next, and nobody is forgotten."""
    async with opened(queue_capacity=5) as stage:
        first = stage.comes()
        await settle()
        others = []
        for _ in range(4):
            await asyncio.sleep(0.1)
            others.extend(await stage.come(1))
        stage.turn(queue_discipline="lifo")
        await stage.everybody_answered()
        assert first.answered_s == pytest.approx(1.0)
        served = sorted(others, key=lambda c: c.answered_s or 0)
        assert served == others[::-1]


@virtual
async def test_priorities_are_remembered_when_the_discipline_changes() -> None:
    """They were given at the door, and count from the moment somebody looks at them."""
    async with opened(queue_capacity=5) as stage:
        await stage.come(1)
        customers = [stage.comes(priority=p) for p in (0, 3, 1, 2)]
        await settle()
        stage.turn(queue_discipline="priority")
        await stage.everybody_answered()
        by_turn = sorted(customers, key=lambda c: c.answered_s or 0)
        assert [c.caller.priority for c in by_turn if c.caller] == [3, 2, 1, 0]


@virtual
async def test_a_bad_knob_turns_nothing() -> None:
    """All or none: the good one beside it stays as it was."""
    async with opened() as stage:
        with pytest.raises(SettingsInvalid):
            stage.turn(workers=5, queue_capacity=-2)
        assert (stage.office.workers, stage.office.queue_capacity) == (1, 2)


@virtual
async def test_a_growing_queue_lets_those_in_who_wait_for_a_place() -> None:
    """Policy block: the new places go to the line at once, first come first."""
    async with opened(queue_policy="block", queue_capacity=0) as stage:
        await stage.come(4)
        assert stage.books.waiting == 3
        stage.turn(queue_capacity=2)
        await settle()
        assert (stage.books.waiting, stage.office.queue_depth) == (1, 2)
        stage.turn(queue_policy="reject")  # anyone who waits already goes on waiting
        await stage.everybody_answered()
        assert [c.fate for c in stage.customers] == [201] * 3 + ["queue_timeout"]


@virtual
async def test_workers_start_jobs_one_after_another() -> None:
    """With one worker no two starts are closer than one service, whatever was turned before."""
    starts = []
    async with opened(workers=3, queue_capacity=10) as stage:
        stage.turn(workers=1)
        for _ in range(6):
            stage.comes()
        while len(stage.heard(JobStarted)) < 6:
            await asyncio.sleep(0.25)
            starts.append(len(stage.heard(JobStarted)))
        await stage.everybody_answered()
    assert all(later - sooner <= 1 for sooner, later in pairwise(starts))
