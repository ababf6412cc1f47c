"""What befalls the process itself: errors that end programs, a blocked loop, clocks, full logs."""

import itertools
import os
import select
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.stand import RATE_PER_S, on_trial, process_on_trial
from tests.support.waiting import eventually

pytestmark = [pytest.mark.load, pytest.mark.light]


def raising_now_and_then(original, errors, every):
    """The coroutine function `original`, which raises one of the errors at each `every`th call."""
    number = itertools.count(1)

    async def call(*args):
        if next(number) % every == 0:
            raise next(errors)
        return await original(*args)

    return call


def lethal():
    """What would end a program that lets it pass."""
    return itertools.cycle([SystemExit, KeyboardInterrupt, BaseException])


def test_an_error_that_ends_programs_ends_one_order_only():
    """SystemExit and its like, from payment and store: a 500 each, money back, the rest is sold."""
    with on_trial() as (server, crowd):
        for part, method in (("provider", "charge"), ("bare_store", "place")):
            target = getattr(server.assembly, part)
            original = getattr(target, method)
            broken = crowd.crowd.statuses[500]
            setattr(target, method, raising_now_and_then(original, lethal(), 10))
            eventually(lambda broken=broken: crowd.crowd.statuses[500] >= broken + 4, "four are")
            setattr(target, method, original)
        assert server.thread.is_alive()


def test_a_debt_is_paid_whatever_it_is_answered():
    """Refunds and voids that raise SystemExit are tried until they succeed, and end nobody."""
    with on_trial() as (server, crowd):
        provider, store = server.assembly.provider, server.assembly.bare_store
        refund, void = provider.refund, store.void
        provider.refund = raising_now_and_then(refund, lethal(), 1)
        store.void = raising_now_and_then(void, lethal(), 1)
        server.tune(payment_failure_rate=0.5, store_failure_rate=0.5, retry_attempts=1)
        eventually(lambda: crowd.crowd.statuses[500] + crowd.crowd.statuses[503] >= 20, "many owe")
        server.tune(payment_failure_rate=0.0, store_failure_rate=0.0)
        provider.refund, store.void = refund, void


def test_a_read_that_raises_what_ends_programs_is_a_500():
    """From the catalogue, through the cache and past it: a problem each, and the service goes on.

    `BaseException` stands for what is neither an `Exception` nor one of Python's own.
    """
    with on_trial(cache_ttl_s=0.0) as (server, _):
        store = server.assembly.bare_store
        find_item, list_items = store.find_item, store.list_items
        for error in (SystemExit, KeyboardInterrupt, BaseException):
            broken = raising_now_and_then(None, itertools.repeat(error), 1)
            store.find_item = store.list_items = broken
            for path in ("/items/1", "/items", "/items/2"):
                answer = server.ask("GET", path)
                assert (answer.status, answer.json()["reason"]) == (500, "internal_error")
        store.find_item, store.list_items = find_item, list_items
        assert server.ask("GET", "/items/1").status == 200


def test_a_loop_blocked_for_two_seconds_is_survived():
    """Nobody is answered meanwhile; whose time ran out is told so, and is charged for nothing."""
    with on_trial() as (server, crowd):
        server.loop.call_soon_threadsafe(time.sleep, 2.0)
        eventually(lambda: crowd.crowd.statuses[504] or crowd.crowd.statuses[503], "some are late")


def test_a_jump_of_the_wall_clock_changes_nothing(monkeypatch):
    """A day ahead and back again in the middle of a sale: nobody is refused or late for it."""
    with on_trial(cache_ttl_s=0.3) as (server, crowd):
        before, wall = crowd.crowd.statuses.copy(), time.time
        for jump_s in (86_400.0, -86_400.0):
            monkeypatch.setattr(time, "time", lambda jump_s=jump_s: wall() + jump_s)
            work = server.office.intake._work
            work._today = lambda jump_s=jump_s: datetime.now(UTC) + timedelta(seconds=jump_s)
            sold = crowd.crowd.statuses[201] + RATE_PER_S / 2
            eventually(lambda sold=sold: crowd.crowd.statuses[201] > sold, "it sells on")
            (latest,) = server.orders[-1:]
            assert abs((latest.created_at - datetime.now(UTC)).total_seconds() - jump_s) < 60
        assert set(crowd.crowd.statuses - before) == {201}
        assert set(server.stats["breakers"].values()) == {"closed"}
        monkeypatch.undo()


@pytest.mark.skipif(sys.platform != "linux", reason="no /dev/full here")
def test_a_full_log_disk_is_survived(database_url):
    """Every line fails to be written: the service does not notice."""
    with (
        open("/dev/full", "wb") as full,
        process_on_trial(database_url, "log_level=debug", stderr=full) as (_, crowd),
    ):
        assert set(crowd.crowd.statuses) == {201}


@pytest.mark.skipif(os.name != "posix", reason="pipes as POSIX has them")
def test_a_log_pipe_that_nobody_reads_is_survived(database_url):
    """Full after a thousand lines, and then: lines are lost, orders are not."""
    reader, writer = os.pipe()
    try:
        os.set_blocking(writer, False)
        while select.select([], [writer], [], 0)[1]:
            os.write(writer, b"." * 512)
        os.set_blocking(writer, True)
        with process_on_trial(database_url, stderr=writer) as (_, crowd):
            eventually(lambda: crowd.crowd.statuses[201] > 2 * RATE_PER_S, "it sells on")
    finally:
        os.close(reader)
        os.close(writer)
