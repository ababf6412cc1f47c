"""Vegas as it is published, step by step."""

from random import Random

import pytest

from bpdemo.flow.limits.vegas import Vegas


class Half(Random):
    """Draws the least jitter: a probe after half of `probe` · L samples."""

    def uniform(self, a: float, b: float) -> float:
        return a


def vegas(start: float = 20, probe: float = 1e9) -> Vegas:
    limit = Vegas(start, probe=probe, rng=Half(1))
    heard(limit, 0.1)  # the least it has seen
    return limit


def heard(limit: Vegas, rtt_s: float, in_flight: int = 1000, *, dropped: bool = False) -> float:
    limit.learn(in_flight, rtt_s, dropped=dropped, now=0.0, was_full=True)
    return limit.current


# At 20: l = 1, so α 3, β 6. q = ⌈20 (1 − 0.1 / rtt)⌉. At 100: l = 2, α 6, β 12.
@pytest.mark.parametrize(
    ("start", "rtt_s", "then"),
    [
        (20, 0.1, 26),  # q 0: nobody waits
        (20, 0.105, 26),  # q 1: at the threshold, still
        (20, 0.11, 21),  # q 2: below α
        (20, 0.115, 20),  # q 3: between them
        (20, 0.142, 20),  # q 6: still
        (20, 0.15, 19),  # q 7: above β
        (20, 9.0, 19),
        (100, 0.1, 112),
        (100, 0.104, 102),  # q 4
        (100, 0.111, 100),  # q 10
        (100, 0.12, 98),  # q 17
        (999, 0.1, 1000),
        (1, 9.0, 7),  # q 1
    ],
)
def test_the_queue_it_sees_says_where_to_go(start: int, rtt_s: float, then: int) -> None:
    """Up by β, up by one, stay, down by one: as many as the formula says."""
    assert heard(vegas(start), rtt_s) == then


def test_a_drop_is_a_step_down_whatever_the_queue() -> None:
    """And however little is in flight."""
    assert heard(vegas(), 0.1, 1, dropped=True) == 19


def test_what_is_not_used_does_not_grow() -> None:
    """Less than half of it in flight."""
    assert heard(vegas(), 0.1, 9) == 20
    assert heard(vegas(), 0.1, 10) == 26


def test_one_lucky_sample_is_what_all_others_are_judged_by() -> None:
    """The known trouble: after it the same calls look queued, and the limit collapses."""
    limit = vegas(100)
    heard(limit, 0.01)
    for _ in range(200):
        heard(limit, 0.1)
    assert limit.current < 10


def test_the_least_is_forgotten_after_some_thousand_calls() -> None:
    """A probe after `probe` · L samples, times the jitter; the next sample takes its place."""
    limit = vegas(20, probe=30)
    for _ in range(298):
        heard(limit, 0.115)
    assert heard(limit, 5.0) == 20  # the 300th: no step, it is the new least
    assert heard(limit, 5.0) == 26


def test_its_defaults_are_the_published_ones() -> None:
    """20, at most 1000, a probe about every 30 · L samples: 300 to 600 of them."""
    limit = Vegas(rng=Random(2))
    assert limit.current == 20
    heard(limit, 0.1)
    found = [number for number in range(2, 601) if heard(limit, 0.115) and limit._since_probe == 0]
    assert len(found) == 1
    assert 300 <= found[0] <= 600
