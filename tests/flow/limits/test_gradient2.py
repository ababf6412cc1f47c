"""Gradient2 as it is published, window by window."""

import pytest

from bpdemo.flow.limits.gradient2 import Gradient2


class Windows:
    """Tells a limit of whole windows: so many calls of one rtt, the last of which closes it."""

    def __init__(self, limit: Gradient2) -> None:
        self.limit = limit
        self.now = 0.0
        self.tell(
            1, 0.1, 1
        )  # the first sample of all closes a window of its own, and tells nothing

    def tell(self, calls: int, rtt_s: float, in_flight: int = 1000) -> float:
        for number in range(calls):
            if number == calls - 1:
                self.now += 1.001
            self.limit.learn(in_flight, rtt_s, dropped=False, now=self.now, was_full=True)
        return self.limit._limit


def test_its_defaults_are_the_published_ones() -> None:
    """20, from 20 to 200; what is steady grows by 0.2 · 4 a window."""
    windows = Windows(Gradient2())
    assert windows.limit.current == 20
    assert windows.tell(10, 0.1) == pytest.approx(20.8)
    assert windows.tell(10, 0.1) == pytest.approx(21.6)
    for _ in range(400):
        windows.tell(10, 0.1)
    assert windows.limit.current == 200


@pytest.mark.parametrize(
    ("times", "gradient"), [(1.0, 1.0), (1.4, 1.0), (2.0, 0.75), (3.0, 0.5), (9.0, 0.5)]
)
def test_it_shrinks_by_how_much_slower_than_in_the_long_run(times: float, gradient: float) -> None:
    """By the tolerance of half as long again nothing; never by more than half."""
    windows = Windows(Gradient2(100))
    windows.limit._long_s, windows.limit._windows = 0.1, 10**6
    windows.limit._long_windows = 10**9  # so that this window does not move what it is held against
    assert windows.tell(10, 0.1 * times) == pytest.approx(80 + 0.2 * (gradient * 100 + 4))


def test_a_window_of_fewer_than_ten_calls_says_nothing() -> None:
    """Nor are they kept for the next one."""
    windows = Windows(Gradient2())
    assert windows.tell(9, 9.0) == 20
    assert windows.tell(10, 0.1) == pytest.approx(20.8)
    assert windows.limit._long_s == pytest.approx(0.1)


def test_what_is_not_used_stays() -> None:
    """Less than half of it in flight at the most; the long mean goes on."""
    windows = Windows(Gradient2())
    assert windows.tell(10, 0.1, 9) == 20
    assert windows.limit._long_s == pytest.approx(0.1)
    assert windows.tell(10, 0.1, 10) == pytest.approx(20.8)


def test_the_long_mean_is_ten_windows_and_then_a_six_hundred_and_first_of_two() -> None:
    """As the source's: a plain mean at first, then 2 / 601 for each window."""
    windows = Windows(Gradient2())
    for number in range(10):
        windows.tell(10, 0.1 + 0.01 * number)
    assert windows.limit._long_s == pytest.approx(0.145)
    windows.tell(10, 0.2)
    assert windows.limit._long_s == pytest.approx(0.145 + 2 / 601 * 0.055)


def test_a_long_mean_twice_too_long_comes_down() -> None:
    """By a twentieth a window, once the overload is over."""
    windows = Windows(Gradient2())
    windows.limit._long_s, windows.limit._windows = 1.0, 10**6
    windows.tell(10, 0.1)
    assert windows.limit._long_s == pytest.approx((1.0 - 2 / 601 * 0.9) * 0.95)


def test_it_follows_a_steady_overload_to_its_end() -> None:
    """The known trouble: rtt = L / capacity, as behind any limit in overload. Judged by itself,
    that is no queue, and the limit climbs to its maximum."""
    windows = Windows(Gradient2())
    for _ in range(3600):
        windows.tell(10, windows.limit.current / 190)
    assert windows.limit.current == 200


def test_while_the_long_mean_is_a_plain_one_that_is_forgotten_again() -> None:
    """As the source's: the next of the first ten windows makes the mean of all of them anew."""
    windows = Windows(Gradient2())
    for rtt_s in (0.5, 0.1, 0.1):
        windows.tell(10, rtt_s)
    assert windows.limit._long_s == pytest.approx(0.7 / 3 * 0.95)
