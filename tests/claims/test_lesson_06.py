"""Lesson 06: each claim fails by its own assert once its mechanism is broken."""

from dataclasses import replace

import pytest

from bpdemo.downstream.connections import Connections
from bpdemo.flow.cache import ReadThroughCache, _Entry
from bpdemo.lab.lessons import database
from tests.support.claims import play, refute

LESSON = "06_database_and_cache"

pytestmark = [pytest.mark.load]

#: The same 20 ms, but before the row of the item is locked.
UNLOCKED = database.SLOW_TRIGGER.replace("BEFORE UPDATE ON items", "BEFORE INSERT ON claims")


@pytest.mark.slow
def test_with_connections_for_all_more_workers_sell_more(monkeypatch):
    """A pool without a bound: then four times the workers do sell more."""
    real = Connections.__init__

    def without_bound(self, dsn, policy, observer, **how):
        real(self, dsn, replace(policy, max_size=64), observer, **how)

    monkeypatch.setattr(Connections, "__init__", without_bound)
    assert "four times the workers serve about as many" in refute(LESSON, "pool")


@pytest.mark.slow
def test_without_the_lock_on_its_row_the_favourite_sells_like_the_rest(monkeypatch):
    """The slow part moves out of the lock: then one item is as good as a hundred."""
    monkeypatch.setattr(database, "SLOW_TRIGGER", UNLOCKED)
    assert "one hot row serves less" in refute(LESSON, "hot-row")


def test_one_load_serves_a_crowd():
    """It holds unbroken: one miss, all others share it."""
    assert play(LESSON, "stampede")["loads"] == 1


def test_without_coalescing_there_is_a_stampede(monkeypatch):
    """Each caller loads for themselves."""

    async def alone(self, key, load):
        value = await load()
        self._entries[key] = _Entry(value, self._clock())
        return value

    monkeypatch.setattr(ReadThroughCache, "_join", alone)
    assert "a crowd is one load" in refute(LESSON, "stampede")


def test_while_the_store_is_down_the_window_stays_lit():
    """It holds unbroken: everybody is served what is stale."""
    assert play(LESSON, "stale")["stale"] >= 0.95


def test_a_cache_that_keeps_nothing_stale_serves_nobody(monkeypatch):
    """Nothing is looked up once it has expired."""
    monkeypatch.setattr(ReadThroughCache, "peek_stale", lambda self, key: None)
    assert "with stale values nearly all are answered" in refute(LESSON, "stale")
