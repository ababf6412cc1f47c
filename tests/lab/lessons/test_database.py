"""The hands on the database: found or not, made slow, and the wait for it."""

import asyncio
import time

import asyncpg
import pytest

from bpdemo.downstream.embedded import EmbeddedPostgres, EmbeddedUnavailable
from bpdemo.lab import find_database, serve
from bpdemo.lab.lessons.database import pool_wait_ms, slow_updates
from bpdemo.load.progress_line import ProgressText

SLOW_S = 0.3


def test_where_none_can_run_the_lesson_hears_why_and_goes_on(monkeypatch):
    """A banner with the reason, and a store in memory."""

    async def refuse(self):
        raise EmbeddedUnavailable("no room on the disk")

    monkeypatch.setattr(EmbeddedPostgres, "start", refuse)
    found = find_database()
    assert not found
    assert found.store == "memory"
    assert "memory" in found.caveat
    assert "no room on the disk" in found._repr_html_()


def test_a_start_that_takes_seconds_is_told(monkeypatch):
    """A line below the cell, before the database begins to start."""
    told = []

    async def refuse(self):
        told.append("starts")
        raise EmbeddedUnavailable("no room on the disk")

    monkeypatch.setattr(EmbeddedPostgres, "start", refuse)
    monkeypatch.setattr(ProgressText, "show", lambda _, text: told.append(text))
    find_database()
    assert told == ["PostgreSQL is started once, to see whether it does", "starts"]


def test_an_update_of_an_item_takes_as_long_as_asked_for():
    """The trigger is in the database itself, no matter who writes."""
    if not find_database():
        pytest.skip("postgres: does not start here")
    with serve(workers=1, store="embedded", payment_latency_s=0, name="slow") as service:
        slow_updates(service, SLOW_S)
        before_s = time.monotonic()
        assert service.post("/orders", {"item_id": 1, "quantity": 1}).status_code == 201
        assert time.monotonic() - before_s >= SLOW_S
        assert asyncio.run(_stored(service.database_url)) == 1
        assert pool_wait_ms(service) < SLOW_S * 1000


def test_a_store_in_memory_is_made_slow_as_a_whole():
    """So that the lesson goes on where there is no database."""
    with serve(workers=1, name="slow-memory") as service:
        slow_updates(service, 0.05)
        assert service.settings.store_latency_s == 0.05
        assert pool_wait_ms(service) == 0


async def _stored(url):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT count(*) FROM orders")
    finally:
        await connection.close()
