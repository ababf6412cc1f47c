"""Times that were cut short: they never lower a mean or a percentile."""

from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.flow.limits.cut_short import mean, percentile

SECONDS = st.floats(0.001, 10)
KNOWN = st.lists(SECONDS, min_size=1, max_size=60)
CUT = st.lists(SECONDS, max_size=60)
SHARE = st.sampled_from([0.1, 0.5, 0.9])


def times(known: list[float], cut: list[float]) -> list[tuple[float, bool]]:
    return [(each, False) for each in known] + [(each, True) for each in cut]


@given(KNOWN, SHARE)
def test_with_none_cut_short_they_are_the_usual_ones(known: list[float], share: float) -> None:
    """The arithmetic mean; the percentile by rank."""
    usual = sorted(known)[min(len(known) - 1, int(share * len(known)))]
    assert percentile(times(known, []), share) == (usual, False)
    assert mean(times(known, [])) == (pytest.approx(fmean(known)), len(known), False)


@given(KNOWN, CUT, SHARE)
def test_what_was_cut_short_never_lowers_them(
    known: list[float], cut: list[float], share: float
) -> None:
    """However many there are, and however short."""
    assert percentile(times(known, cut), share)[0] >= percentile(times(known, []), share)[0]
    assert mean(times(known, cut))[0] >= mean(times(known, []))[0] * (1 - 1e-12)


@given(KNOWN, CUT, SHARE)
def test_what_is_shorter_than_all_the_others_says_nothing(
    known: list[float], cut: list[float], share: float
) -> None:
    """Nobody learns from a caller who would have left an idle service as well."""
    hasty = [min(known) * each / 10 for each in cut]
    assert percentile(times(known, hasty), share) == percentile(times(known, []), share)
    sooner = [each for each in hasty if each < min(known)]
    assert mean(times(known, sooner)) == pytest.approx(mean(times(known, [])))


def test_callers_who_gave_up_late_say_that_it_takes_longer() -> None:
    """Half left after 0.5 s, the others were served in 0.1 s: the median is at least 0.5 s."""
    found = times([0.1] * 10, [0.5] * 10)
    assert percentile(found, 0.5) == (0.5, True)
    assert mean(found) == (pytest.approx(0.3), 20, False)


def test_of_callers_who_all_left_only_a_least_is_known() -> None:
    """And it says so; of nobody, nothing is known."""
    assert percentile(times([], [0.2, 0.1]), 0.5) == (0.2, True)
    assert mean(times([], [0.2, 0.4])) == (pytest.approx(0.3), 2, True)
    assert mean([]) == (0, 0, True)
    with pytest.raises(ValueError, match="times"):
        percentile([], 0.5)
