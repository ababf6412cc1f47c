"""A greedy client fills its own share only."""

import pytest

from bpdemo.flow.share import FairShare


def test_each_client_has_a_share_of_its_own() -> None:
    """The third of one is refused, the first of another is not."""
    share = FairShare(2)
    assert [share.try_enter("greedy") for _ in range(4)] == [True, True, False, False]
    assert share.try_enter("modest")


def test_who_leaves_makes_room_for_himself() -> None:
    """One out, one in."""
    share = FairShare(1)
    share.try_enter("a")
    share.leave("a")
    assert [share.try_enter("a") for _ in range(2)] == [True, False]


def test_zero_is_no_limit_but_still_counts() -> None:
    """So a limit turned on later knows who is inside."""
    share = FairShare(0)
    assert all(share.try_enter("a") for _ in range(100))
    share.limit = 100
    assert not share.try_enter("a")
    share.leave("a")
    assert share.try_enter("a")


def test_only_those_inside_are_remembered() -> None:
    """A million passers-by leave no trace: leaving once more than one entered is an error."""
    share = FairShare(1)
    for n in range(1000):
        share.try_enter(str(n))
        share.leave(str(n))
    with pytest.raises(KeyError):
        share.leave("7")


def test_a_lower_limit_sends_nobody_away() -> None:
    """Those inside stay; the next is refused until there is room."""
    share = FairShare(3)
    for _ in range(3):
        share.try_enter("a")
    share.limit = 1
    for _ in range(3):
        assert not share.try_enter("a")
        share.leave("a")
    assert share.try_enter("a")
