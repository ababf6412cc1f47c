"""Callers who leave, seen through a real server: their work is not done, the books forget them."""

import pytest

from tests.support.http import BODY, STUCK
from tests.support.server import assert_balanced, server
from tests.support.waiting import eventually

SLOW = STUCK | {"payment_latency_s": 0.3}


def test_who_hangs_up_while_queued_is_never_served():
    """Their connections end, their jobs leave the queue, one charge is made: the first one's."""
    with server(**(SLOW | {"queue_capacity": 20})) as thread:
        working = thread.fill()
        leavers = [thread.order() for _ in range(10)]
        thread.when_books(queued=10)
        for wire in leavers:
            wire.hang_up()
        books = thread.when_books(abandoned=10, queued=0)
        assert_balanced(books)
        assert thread.stats["queue"]["depth"] == 0
        assert working.reply().status == 201
        thread.assert_at_rest()
        assert thread.stats["payments"] == {"charged": 1, "refunded": 0}
        assert thread.books["success"] == 1


def test_who_hangs_up_while_waiting_for_a_place_was_never_there():
    """Under block: out of the line, out of the books, and the next in line moves up."""
    block = {"queue_policy": "block", "queue_block_timeout_s": 30.0, "queue_block_waiters": 2}
    with server(**SLOW, **block) as thread:
        working = thread.fill()
        first, second = thread.order(), thread.order()
        thread.when_books(waiting=2)
        assert thread.ask("POST", "/orders", BODY).status == 503
        first.hang_up()
        thread.when_books(waiting=1)
        third = thread.order()
        thread.when_books(waiting=2)
        assert working.reply().status == second.reply().status == third.reply().status == 201
        thread.assert_at_rest()
        books = thread.books
        assert (books["received"], books["rejected"], books["abandoned"]) == (4, 1, 0)


@pytest.mark.parametrize("sent", [b"", b'{"item_id"'])
def test_who_hangs_up_while_sending_was_never_there(sent):
    """In the middle of a body: taken out of the books, and of what is in flight."""
    with server() as thread:
        wire = thread.connect()
        wire.send(b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 26\r\n\r\n" + sent)
        thread.when_books(waiting=1)
        wire.hang_up()
        thread.when_books(waiting=0, received=0)
        thread.assert_at_rest()


def test_who_hangs_up_while_being_served_changes_nothing():
    """The money may have been taken, so the order is finished."""
    with server(**SLOW) as thread:
        thread.fill().hang_up()
        thread.when_books(success=1)
        thread.assert_at_rest()
        assert thread.books["abandoned"] == 0


def test_duplicates_share_a_job_until_the_last_has_left():
    """One of two callers of a key may leave; when both have, the job goes too."""
    with server(**(SLOW | {"queue_capacity": 5})) as thread:
        working = thread.fill()
        a, b = thread.order(Idempotency_Key="k"), thread.order(Idempotency_Key="k")
        thread.when_books(queued=2)
        assert thread.stats["queue"]["depth"] == 1
        a.hang_up()
        thread.when_books(queued=2, abandoned=0)
        b.hang_up()
        thread.when_books(queued=0, abandoned=2)
        assert working.reply().status == 201
        thread.assert_at_rest()
        assert thread.stats["payments"]["charged"] == 1


def test_the_naive_service_serves_those_who_left():
    """With drop_on_disconnect off everything queued is worked through for nobody."""
    with server(**(STUCK | {"queue_capacity": 20, "payment_latency_s": 0.05}),
                drop_on_disconnect=False) as thread:  # fmt: skip
        for wire in [thread.order() for _ in range(5)]:
            thread.when_books(waiting=0)
            wire.hang_up()
        thread.when_books(success=5, abandoned=0)
        thread.assert_at_rest()


def test_a_hundred_who_come_and_go_leave_nothing_behind():
    """Whatever they had sent when they left: nothing in flight, no task, no connection."""
    with server(workers=2, payment_latency_s=0.01, queue_capacity=5) as thread:
        pieces = b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 26\r\n\r\n" + BODY
        for number in range(100):
            wire = thread.connect()
            wire.send(pieces[: 1 + number * len(pieces) // 99])
            wire.hang_up()
        thread.assert_at_rest()
        state = thread.server.server_state
        eventually(lambda: len(state.connections) <= 1 and len(state.tasks) == 0)
