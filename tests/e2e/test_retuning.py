"""Knobs turned in the middle of a load: nothing is lost, and the books balance all the while."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.server import OpenLoop, ServerThread, assert_balanced, server
from tests.support.waiting import until

RATE = 300.0
SECONDS = 2.0


async def drive(thread: ServerThread, turns: list[dict[str, Any]]) -> None:
    """A load of which every answer is accounted for, while the knobs turn one after another."""
    load, over = OpenLoop(thread.port, RATE), asyncio.Event()
    running = asyncio.create_task(load.run(SECONDS))
    samples = asyncio.create_task(sample(thread, over))
    async with httpx.AsyncClient(base_url=thread.url, trust_env=False) as client:
        for number, knobs in enumerate(turns, start=1):
            due = number * RATE * SECONDS / (len(turns) + 1)
            await until(lambda due=due: load.statuses.total() >= due or running.done())
            answer = await client.patch("/settings", json=knobs)
            assert answer.status_code == 200
    answered = await running
    over.set()
    assert await samples > 50
    books = thread.stats["books"]
    assert_balanced(books)
    assert {books[name] for name in ("waiting", "queued", "running")} == {0}
    assert answered.unanswered == 0
    assert answered.total == books["received"] > RATE * SECONDS / 2
    assert answered.statuses[201] == books["success"] > 0
    assert answered.statuses[504] == books["expired"]
    assert answered.statuses[503] == books["rejected"] + books["shed"] + books["failure"]
    assert set(answered.statuses) <= {201, 503, 504}
    assert thread.stats["in_flight"] == 0
    # Anyone who was told that their time was up may have their order nevertheless.
    assert books["success"] <= len(thread.orders) <= books["success"] + books["expired"]
    await until(lambda: kept(thread) == len(thread.orders), "all that was owed is given back")


def kept(thread: ServerThread) -> int:
    paid = thread.stats["payments"]
    return paid["charged"] - paid["refunded"]


async def sample(thread: ServerThread, over: asyncio.Event) -> int:
    """Look at the books as often as possible; they balance each time."""
    count = 0
    async with httpx.AsyncClient(base_url=thread.url, trust_env=False) as client:
        while not over.is_set():
            stats = (await client.get("/stats")).json()
            assert_balanced(stats["books"])
            assert stats["workers"]["busy"] <= 16
            assert stats["queue"]["depth"] <= 64
            count += 1
            await asyncio.sleep(0.01)
    return count


@pytest.mark.load
@pytest.mark.light
@pytest.mark.parametrize("policy", ["reject", "block"])
async def test_workers_come_and_go(policy):
    """8 → 2 → 16 workers: everybody is answered, and the answers are what the books say."""
    with server(queue_policy=policy, drain_timeout_s=1.0) as thread:
        await drive(thread, [{"workers": 2}, {"workers": 16}])
        assert thread.stats["workers"] == {"total": 16, "busy": 0}


@pytest.mark.load
@pytest.mark.light
async def test_the_waiting_room_shrinks_and_grows():
    """32 → 4 → 64 places, with more offered than two workers can do."""
    with server(workers=4, drain_timeout_s=1.0) as thread:
        await drive(thread, [{"queue_capacity": 4}, {"queue_capacity": 64}])
        assert thread.stats["queue"] == {"depth": 0, "capacity": 64}


@pytest.mark.load
@pytest.mark.light
async def test_everything_turns_at_once():
    """Workers, room, discipline and policy together, back and forth."""
    turns = [
        {"workers": 2, "queue_capacity": 4, "queue_discipline": "lifo"},
        {"workers": 16, "queue_capacity": 64, "queue_discipline": "priority"},
        {"workers": 1, "queue_capacity": 0, "queue_policy": "block"},
        {"workers": 8, "queue_capacity": 32, "queue_discipline": "codel", "codel_target_s": 0.001},
    ]
    with server(drain_timeout_s=1.0) as thread:
        await drive(thread, turns)


@pytest.mark.load
@pytest.mark.light
async def test_retries_and_failures_under_load():
    """A flaky payment, a closed circuit, a hurried deadline: still every answer is in the books."""
    with server(payment_failure_rate=0.3, request_timeout_s=0.3, drain_timeout_s=1.0) as thread:
        await drive(thread, [{"payment_failure_rate": 0.9}, {"payment_failure_rate": 0.0}])
