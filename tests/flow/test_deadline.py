"""A deadline is a moment, and `NEVER` is one too."""

from math import inf

from bpdemo.flow.deadline import NEVER, Deadline


def test_what_remains_shrinks_to_nothing_and_not_below() -> None:
    """Two seconds from 10 is 12, whoever asks."""
    deadline = Deadline.after(2, now=10)
    assert deadline.remaining_s(10.5) == 1.5
    assert deadline.remaining_s(99) == 0


def test_it_has_passed_at_its_very_moment() -> None:
    """Nothing remains then, and `has_passed` agrees with that."""
    deadline = Deadline(12)
    assert not deadline.has_passed(11.999)
    assert deadline.has_passed(12)
    assert deadline.remaining_s(12) == 0


def test_never_is_later_than_any_other() -> None:
    """So the latest of several callers' needs no special case."""
    assert max(NEVER, Deadline(1e12)) is NEVER
    assert NEVER.remaining_s(1e12) == inf
    assert not NEVER.has_passed(1e12)
