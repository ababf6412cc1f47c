"""Durable workers beside a lesson's service: started, killed, replaced, and their work counted."""

import pytest

from bpdemo.core.errors import SettingsInvalid
from bpdemo.lab import serve, stop_all
from bpdemo.lab.lessons.backlog_watch import watch_backlog
from bpdemo.lab.lessons.database import find_database
from bpdemo.lab.lessons.promises import ask_until_done, audit, send_orders
from bpdemo.lab.services.durable_workers import kept_by, start_workers
from tests.support.waiting import eventually

ORDERS = 12


@pytest.fixture(scope="module")
def office():
    if not find_database():
        pytest.skip("postgres: does not start here")
    with serve(workers=2, store="embedded", payment_latency_s=0.01, name="promising") as service:
        yield service
    stop_all()


def test_promises_wait_until_somebody_works_and_are_then_kept_once(office):
    """Sent, watched, processed by two, and found whole by SQL: nobody's order counts twice."""
    sent = send_orders(office, ORDERS, at_once=3)
    assert sent["status"].tolist() == [202] * ORDERS
    assert sent["order"].tolist() == ["pending"] * ORDERS
    assert sent["id"].nunique() == ORDERS
    assert audit(office, sent)["waiting"] == ORDERS
    watch = watch_backlog(office)
    crew = start_workers(office, "first", "second")
    watch.wait_for(0)
    watch.stop()
    assert watch.deepest == ORDERS
    assert audit(office, sent) == {
        "accepted": ORDERS, "known": ORDERS, "confirmed": ORDERS, "waiting": 0,
        "tickets_given": ORDERS, "cards_charged": ORDERS, "asked_again": 0,
    }  # fmt: skip
    # A line of the log is on its way a moment longer than the row of the order.
    eventually(lambda: sum(map(len, kept_by(crew).values())) == ORDERS)
    heard = ask_until_done(office, sent["id"].iloc[0])
    assert heard["order"].tolist() == ["confirmed"]


def test_a_worker_of_the_same_name_replaces_the_one_before(office):
    """A cell may be run twice: nobody is left over; and a kill is a kill, twice too."""
    [before] = start_workers(office, "clerk")
    [after] = start_workers(office, "clerk")
    assert not before.is_alive
    assert after.is_alive
    assert after.kill() <= after.kill()
    assert not after.is_alive


def test_whoever_worked_for_a_service_that_was_replaced_goes_with_it():
    """Its database is gone: it would look for it for ever."""
    if not find_database():
        pytest.skip("postgres: does not start here")
    try:
        [earlier] = start_workers(serve(workers=1, store="embedded", name="shop"), "earlier")
        [current] = start_workers(serve(workers=1, store="embedded", name="shop"), "current")
        assert not earlier.is_alive
        assert current.is_alive
    finally:
        stop_all()
    assert not current.is_alive


def test_a_setting_that_is_none_is_told_before_a_process_is_started(office):
    """As `serve` tells it."""
    with pytest.raises(SettingsInvalid, match="workers"):
        start_workers(office, "clerk", workers=0)


def test_without_a_database_all_is_sold_at_once_and_workers_are_nobody():
    """So that the lesson runs to its end on any machine."""
    with serve(workers=2, payment_latency_s=0, name="promising-nothing") as shop:
        sent = send_orders(shop, 4)
        [nobody] = start_workers(shop, "nobody")
        watch = watch_backlog(shop)
        assert watch.wait_for(0) < 1
        assert nobody.kill() > 0
        watch.stop()
        assert sent["status"].tolist() == [201] * 4
        assert ask_until_done(shop, sent["id"].iloc[0])["order"].tolist() == ["confirmed"]
        assert set(audit(shop, sent).values()) == {0}
        assert kept_by([nobody])["nobody"].empty
