"""Seats count who is busy, also while their number changes."""

import pytest

from bpdemo.flow.seats import Seats


def test_seats_are_taken_and_given_back() -> None:
    """free + busy = total."""
    seats = Seats(2)
    seats.acquire()
    assert (seats.total, seats.busy, seats.free) == (2, 1, 1)
    seats.release()
    assert seats.free == 2


def test_asking_for_a_seat_that_is_not_there_is_a_bug() -> None:
    """It shows at once, and takes nothing."""
    seats = Seats(1)
    seats.acquire()
    with pytest.raises(RuntimeError, match="1 seats"):
        seats.acquire()
    assert seats.busy == 1


def test_a_seat_that_nobody_has_taken_cannot_be_given_back() -> None:
    """It would be one more than there are."""
    seats = Seats(1)
    with pytest.raises(RuntimeError, match="no seat"):
        seats.release()
    assert (seats.busy, seats.free) == (0, 1)
    with pytest.raises(ValueError, match="total"):
        Seats(-1)


def test_a_shrink_settles_when_enough_have_left() -> None:
    """Until then `free` is negative, and nobody sits down."""
    seats = Seats(3)
    for _ in range(3):
        seats.acquire()
    seats.total = 1
    assert seats.free == -2
    for _ in range(2):
        seats.release()
        with pytest.raises(RuntimeError):
            seats.acquire()
    seats.release()
    seats.acquire()
    assert (seats.busy, seats.free) == (1, 0)
