"""Two clocks compared over a line with delays: the bound holds, whatever the delays."""

from hypothesis import given
from hypothesis import strategies as st

from bpdemo.load.generator.clocks import Offset, apart_s, surest

DELAY_S = st.floats(0, 2)
FAR_S = st.floats(-1e6, 1e6)


def read(offset_s: float, there_s: float, back_s: float, now_s: float = 100.0) -> Offset:
    """A reading whose question took `there_s`, and whose answer took `back_s`."""
    return Offset.of(now_s, now_s + there_s + offset_s, now_s + there_s + back_s)


@given(FAR_S, st.lists(st.tuples(DELAY_S, DELAY_S), min_size=1))
def test_the_error_is_no_larger_than_it_says(
    offset_s: float, delays: list[tuple[float, float]]
) -> None:
    """However lopsided the way there and back; and so is a moment told by it."""
    readings = [read(offset_s, *delay) for delay in delays]
    found = surest(readings)
    assert abs(found.seconds - offset_s) <= found.error_s + 1e-6
    assert abs(found.theirs(7.0) - (7.0 + offset_s)) <= found.error_s + 1e-6
    assert found.error_s == min(reading.error_s for reading in readings)


@given(FAR_S, DELAY_S, DELAY_S, DELAY_S, DELAY_S, st.floats(-0.1, 0.1))
def test_what_was_set_at_the_start_is_bounded_at_the_end(
    offset_s: float, a_s: float, b_s: float, c_s: float, d_s: float, drift_s: float
) -> None:
    """A clock that drifted meanwhile: its time is off by no more than is told."""
    before, after = read(offset_s, a_s, b_s), read(offset_s + drift_s, c_s, d_s)
    really_off_s = offset_s + drift_s - before.seconds
    assert abs(really_off_s) <= apart_s(before, after) + 1e-6
