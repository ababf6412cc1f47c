"""What is told of a search's time beforehand, held against searches in virtual time."""

import pytest

from bpdemo.load.capacity_search import search
from bpdemo.load.search_time import START_S, search_time_s, told_time
from tests.load.test_capacity_search import Fake, Shape, collapses, sags, sharp


@pytest.mark.parametrize("client_timeout_s", [0.1, 0.5, 2.0, 10.0, 30.0])
@pytest.mark.parametrize("shape", [sharp, sags, collapses])
def test_most_searches_take_as_long_as_was_told(shape: Shape, client_timeout_s: float) -> None:
    """Of services that do a hundred a second to ten thousand, nine in ten take at least half
    as long as is told beforehand and at most twice as long."""
    within = 0
    for seed in range(50):
        fake = Fake(100 * 1.1**seed, shape, client_timeout_s, seed=seed)
        search(fake)
        took_s = fake.now_s - len(fake.settled) + START_S * len(fake.offers)
        within += 0.5 <= took_s / search_time_s(client_timeout_s) <= 2
    assert within >= 45, within


@pytest.mark.parametrize(
    ("low_s", "high_s", "told"),
    [
        (20, 80, "about a minute"),
        (110, 130, "about 2 minutes"),
        (112, 224, "2 to 4 minutes"),
        (600, 1200, "10 to 20 minutes"),
    ],
)
def test_the_time_in_words(low_s: float, high_s: float, told: str) -> None:
    """In whole minutes, one at least."""
    assert told_time(low_s, high_s) == told
