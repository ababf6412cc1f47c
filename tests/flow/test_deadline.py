"""A deadline is a moment, and `NEVER` is one too."""

from math import inf

import pytest

from bpdemo.flow.deadline import NEVER, Deadline, can_finish


def test_what_remains_shrinks_to_nothing_and_not_below() -> None:
    """Two seconds from 10 is 12, no matter who asks."""
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


@pytest.mark.parametrize(
    ("wait_s", "service_s", "remaining_s", "fits"),
    [
        (0.3, 0.1, 0.5, True),
        (0.3, 0.11, 0.5, False),  # 0.2 of the time is air for service times that scatter
        (0.0, 9.0, 0.1, True),  # an idle worker is how a service learns that it is fast again
        (0.0, 0.0, 0.0, False),
        (9.0, 9.0, inf, True),
    ],
)
def test_wait_and_service_must_fit_into_four_fifths_of_the_time(
    wait_s: float, service_s: float, remaining_s: float, fits: bool
) -> None:
    """Unless nothing has to be waited for, and any time is left at all."""
    assert can_finish(wait_s, service_s, remaining_s) is fits
