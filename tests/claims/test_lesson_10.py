"""Lesson 10: each claim fails by its own assert once its mechanism is broken, in any process."""

import asyncio
import textwrap

import pytest

from bpdemo.downstream import durable_sql
from bpdemo.downstream.backlog import PostgresBacklog
from bpdemo.downstream.payment import PaymentPolicy
from bpdemo.lab import find_database
from bpdemo.service.acceptance import Acceptance
from tests.support.claims import play, refute

LESSON = "10_beyond_one_process"

NOBODY_IS_MISSED = """
    from bpdemo.downstream import consumer

    consumer.HEARTBEAT_S = 3600.0
"""
A_LEDGER_WITHOUT_KEYS = """
    from bpdemo.downstream import durable_sql

    durable_sql.CHARGE = durable_sql.CHARGE.replace("VALUES ($1,", "VALUES ($1 || random(),")
"""
NOBODY_WORKS = """
    import asyncio
    from bpdemo.service.durable_work import DurableWork

    DurableWork.work = lambda self, *order: asyncio.sleep(3600)
"""


@pytest.fixture(autouse=True, scope="module")
def database():
    """Without one the lesson says so, and claims nothing."""
    if not find_database():
        pytest.skip("postgres: does not start here")


@pytest.fixture
def workers(monkeypatch, tmp_path):
    """Has every Python that is started run some code first: so it reaches the workers."""

    def run_first(code):
        (tmp_path / "sitecustomize.py").write_text(textwrap.dedent(code), "utf-8")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return run_first


pytestmark = [pytest.mark.load, pytest.mark.slow, pytest.mark.long]


def test_a_promise_that_is_a_sale_is_no_promise(monkeypatch):
    """Anyone who prefers not to wait is served like everybody else."""
    monkeypatch.setattr(Acceptance, "accept", lambda self, job: self._work.sell(job))
    assert "each of them is answered with 202" in refute(LESSON, "promise")


def test_a_promise_that_waits_for_the_payment_is_not_fast(monkeypatch):
    """The card is charged first, and promised is only the rest."""
    real = PostgresBacklog.accept

    async def charge_first(self, order, capacity):
        await asyncio.sleep(0.2)
        return await real(self, order, capacity)

    monkeypatch.setattr(PostgresBacklog, "accept", charge_first)
    assert "that takes less than half as long" in refute(LESSON, "promise")


def test_a_promise_is_kept_by_a_worker_and_nobody_else(workers):
    """Workers that do nothing: then it stays pending for ever."""
    workers(NOBODY_WORKS)
    assert "a worker processes it" in refute(LESSON, "promise")


def test_a_dead_worker_that_is_never_missed_keeps_its_orders(workers):
    """It is believed to be alive for an hour: what it had in hand waits as long."""
    workers(NOBODY_IS_MISSED)
    assert "no order is left" in refute(LESSON, "killed")


def test_without_a_key_the_ledger_charges_again(workers):
    """Each charge is a new one: what worker 1 had charged, worker 2 charges once more."""
    workers(A_LEDGER_WITHOUT_KEYS)
    assert "each card is charged once" in refute(LESSON, "killed")


def test_a_backlog_without_a_bound_takes_everything(monkeypatch):
    """It has room for all, and anyone who comes last waits longest."""
    unbounded = durable_sql.PROMISE.replace("< $7", ">= 0")
    assert unbounded != durable_sql.PROMISE
    monkeypatch.setattr(durable_sql, "PROMISE", unbounded)
    assert "the backlog keeps its bound" in refute(LESSON, "bounded")


def test_where_all_services_are_alike_the_mean_of_percentiles_is_no_mistake(monkeypatch):
    """No payment is slow: then the two ways agree, and the claim that they differ is wrong."""
    monkeypatch.setattr(PaymentPolicy, "sampler", lambda self, rng: lambda: 0.04)
    assert "with few at the slow one the mean is far too high" in refute(LESSON, "percentiles")


def test_the_mean_of_two_percentiles_is_a_percentile_of_nobody():
    """It holds unbroken: wrong by far, whether few or many go to the slow one."""
    assert len(play(LESSON, "percentiles")["p99_ms"]) == 2
