"""CoDel tells a burst from a standing queue."""

from typing import Any

import pytest

from bpdemo.flow.codel import CoDel, CoDelPolicy
from tests.support.policies import usual

POLICY = CoDelPolicy(target_s=0.02, interval_s=0.2)


def test_a_burst_is_absorbed() -> None:
    """As long as the queue was empty within the interval, no wait is too long."""
    codel = CoDel(POLICY, now=0)
    codel.saw_empty(10.0)
    assert not codel.sheds(waited_s=9.0, now=10.2)


def test_in_a_standing_queue_what_waited_past_the_target_is_shed() -> None:
    """And nothing else: anyone who waited just the target is served."""
    codel = CoDel(POLICY, now=0)
    codel.saw_empty(10.0)
    assert codel.sheds(waited_s=0.021, now=10.21)
    assert not codel.sheds(waited_s=0.02, now=10.21)


def test_an_empty_queue_starts_the_interval_anew() -> None:
    """One moment of emptiness and it is no standing queue any more."""
    codel = CoDel(POLICY, now=0)
    assert codel.sheds(waited_s=1, now=5)
    codel.saw_empty(5)
    assert not codel.sheds(waited_s=1, now=5.1)
    assert codel.sheds(waited_s=1, now=5.3)


def test_the_policy_may_change_at_any_time() -> None:
    """Judgement is by the policy of the moment."""
    codel = CoDel(POLICY, now=0)
    codel.policy = CoDelPolicy(target_s=2, interval_s=3)
    assert not codel.sheds(waited_s=1, now=5)
    codel.policy = CoDelPolicy(target_s=0.02, interval_s=6)
    assert not codel.sheds(waited_s=1, now=5)


@pytest.mark.parametrize(
    ("target_s", "interval_s"), [(0.201, 0.2), (0.02, 0.0), (5, 0.2), (3600, 3599.9)]
)
def test_a_target_above_the_interval_is_refused(target_s: float, interval_s: float) -> None:
    """A wait longer than it takes to be a standing queue cannot be fine in one; both are named."""
    with pytest.raises(ValueError, match=rf"target_s: {target_s} .* interval_s \({interval_s}\)"):
        CoDelPolicy(target_s=target_s, interval_s=interval_s)


@pytest.mark.parametrize("both_s", [0.0, 0.2, 3600.0])
def test_a_target_that_is_the_interval_is_not(both_s: float) -> None:
    """The bound is in the range; at 0 whatever waits at all is shed."""
    assert CoDelPolicy(target_s=both_s, interval_s=both_s).target_s == both_s


@pytest.mark.parametrize("wrong", [{"target_s": -1}, {"interval_s": -1}], ids=str)
def test_a_policy_that_cannot_be_is_refused_when_made(wrong: dict[str, Any]) -> None:
    """A slice is validated when made."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        usual(CoDelPolicy, **wrong)
