"""Lesson 02: with its mechanism broken, each of its claims fails; with it, the claim holds."""

import pytest

from bpdemo.downstream.payment import PaymentPolicy
from bpdemo.flow.codel import CoDel
from bpdemo.flow.disciplines import ArrivalDiscipline
from bpdemo.flow.queue import BoundedQueue
from bpdemo.lab.lessons import timeouts
from tests.support.claims import BOTH_WAYS, play, refute

LESSON = "02_bounded_queue_and_workers"


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))


@pytest.fixture
def never_full(monkeypatch):
    """A queue that has a capacity, and does not keep to it."""
    monkeypatch.setattr(BoundedQueue, "has_place", property(lambda queue: True))


@pytest.fixture
def newest_first(monkeypatch):
    """A line that takes the newest, whatever it is called."""
    make = ArrivalDiscipline.__init__
    monkeypatch.setattr(
        ArrivalDiscipline, "__init__", lambda line, **_: make(line, newest_first=True)
    )


@pytest.fixture
def nobody_waits(monkeypatch):
    """Policy block that refuses as policy reject does."""

    async def put(queue, job, timeout_s, priority=1):
        queue.try_put(job, priority)

    monkeypatch.setattr(BoundedQueue, "put", put)


@pytest.fixture
def nothing_dropped(monkeypatch):
    """CoDel that looks at every wait and finds none too long."""
    monkeypatch.setattr(CoDel, "sheds", lambda codel, waited_s, now: False)


@pytest.fixture
def half_counted(monkeypatch):
    """A gauge that tells half of the queue."""
    monkeypatch.setattr(BoundedQueue, "depth", property(lambda queue: len(queue._line) // 2))


SIMULATED = [
    "cliff",
    "slope",
    "few-places",
    "three-answers",
    "obedience",
    "rate-limit",
    "limit-on-time",
    "little",
]
#: Of these the claims name each point they are about; the others look at all of a line.
NAMED = {"cliff", "slope", "obedience"}


@pytest.mark.parametrize("claim", SIMULATED)
def test_a_simulated_claim_holds(claim):
    """As the lesson has it, in a few seconds of virtual time."""
    play(LESSON, claim, all_points=claim not in NAMED)


@pytest.mark.slow
def test_the_theory_holds():
    """Eight runs of a minute each."""
    play(LESSON, "theory")


@pytest.mark.slow
def test_the_hockey_stick_holds():
    """Six runs of three thousand orders."""
    play(LESSON, "hockey-stick")


@pytest.mark.slow
def test_service_times_that_are_all_equal_lie_on_another_line(monkeypatch):
    """They wait about half as long: the line is the textbook's for the randomness that it names."""
    monkeypatch.setattr(PaymentPolicy, "sampler", lambda policy, _: lambda: policy.latency_s)
    assert "lies on the line of theory" in refute(LESSON, "hockey-stick")


def test_without_a_bound_there_is_no_good_length(never_full):
    """Left of the cliff the claim needs a queue that is full when it is full."""
    assert "at 0.7 of the ceiling goodput is at capacity" in refute(LESSON, "cliff")


def test_served_newest_first_there_is_no_cliff(newest_first):
    """Right of it, the claim needs a queue in which everybody waits for all before them."""
    assert "at 1.4 of the ceiling hardly any" in refute(LESSON, "cliff")


def test_few_places_sell_because_the_queue_keeps_to_them(never_full):
    """A queue that grows past its number is as bad as no number."""
    assert "a short queue fits every speed" in refute(LESSON, "few-places")


def test_a_long_queue_fails_a_slower_payment_because_all_wait_for_it(newest_first):
    """Served newest first, the 61 places would do no harm at 1.5 × either."""
    assert "0.7 of the ceiling fails at 1.5×" in refute(LESSON, "few-places")


def test_a_codel_that_drops_nobody_is_a_plain_queue(nothing_dropped):
    """Dropping is what keeps the wait short."""
    assert "drop shortens the wait" in refute(LESSON, "three-answers")


@pytest.mark.slow
def test_who_is_not_made_to_wait_cannot_obey(nobody_waits):
    """Rejected at once, a closed loop is back at once, and offers many times the capacity."""
    assert "a producer that responds offers about the capacity" in refute(LESSON, "obedience")


def test_under_a_rate_limit_it_is_the_bound_that_sells(never_full):
    """With the bound broken, both services collapse alike."""
    assert "a bound of 8 serves all that is possible" in refute(LESSON, "rate-limit")


def test_under_a_rate_limit_a_long_queue_is_as_bad_as_none(monkeypatch):
    """It is the length that fails in the queue of 61: cut to 8, it sells."""
    monkeypatch.setattr(BoundedQueue, "has_place", property(_at_most_8))
    assert "without a bound the rate limit protects nothing" in refute(LESSON, "rate-limit")


def test_a_limit_on_time_that_limits_nothing_does_not_last(nothing_dropped):
    """CoDel that drops nobody is a queue without a bound."""
    assert "a limit on time fits every speed" in refute(LESSON, "limit-on-time")


def test_a_count_is_too_long_once_the_payment_is_slow_enough(monkeypatch):
    """Served newest first there is no length that is too long: the counts would last as well."""
    monkeypatch.setattr(ArrivalDiscipline, "pop", _newest)
    assert "too much for a long queue" in refute(LESSON, "limit-on-time")


def test_where_timeouts_hardly_differ_there_is_no_slope(monkeypatch):
    """It is the spread of the timeouts that bends the cliff."""
    monkeypatch.setattr(
        timeouts, "_still_waits", lambda latency_s, median_s, sigma: latency_s < median_s
    )
    assert "where timeouts differ it falls" in refute(LESSON, "slope")


def test_a_gauge_that_lies_breaks_the_law(half_counted):
    """Little's law catches a depth that is told wrong."""
    assert "count and law agree" in refute(LESSON, "little")


def test_a_queue_without_a_bound_is_not_the_textbook_s(never_full):
    """Nobody is refused: far from what the formula says."""
    assert "rejects what the theory says" in refute(LESSON, "theory")


@BOTH_WAYS
def test_the_real_service_has_the_cliff_too(never_full, where):
    """Over HTTP as well, it is the bound that sells."""
    assert "on this side of the wall goodput stays up" in refute(LESSON, "cliff-live", where)


@BOTH_WAYS
def test_the_real_producer_must_be_made_to_wait(nobody_waits, where):
    """Over HTTP as well, a no at once is no backpressure."""
    assert "over HTTP, one that responds" in refute(LESSON, "obedience-live", where)


def _at_most_8(queue):
    return queue.depth < 8


def _newest(line):
    job, (came_s, _) = line._jobs.popitem(last=True)
    return job, came_s
