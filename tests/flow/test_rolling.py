"""Rolling counts forget by themselves, whatever the clock does."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bpdemo.flow.rolling import SLOTS, RollingCounts
from tests.flow.helpers import Clock


def test_what_was_counted_and_what_was_marked_are_kept_apart() -> None:
    """`total` and `marked` are two sums over the same window."""
    counts = RollingCounts(10, Clock())
    for _ in range(5):
        counts.count()
    counts.mark()
    assert (counts.total, counts.marked) == (5, 1)


def test_the_window_spans_between_nine_tenths_and_all_of_its_length() -> None:
    """The oldest slot leaves whole: nothing younger than 0.9 windows goes, nothing older stays."""
    clock = Clock()
    counts = RollingCounts(10, clock)
    counts.count()  # at the beginning of its slot
    clock.advance(0.99)
    counts.count()  # at the end of the same
    clock.now = 9.99
    counts.expire()
    assert counts.total == 2
    clock.now = 10.0
    counts.expire()
    assert counts.total == 0


def test_news_leaves_slot_by_slot() -> None:
    """A steady stream of one call a second holds ten of them, each as long as the others."""
    clock = Clock()
    counts = RollingCounts(10, clock)
    for _ in range(50):
        counts.count()
        clock.advance(1.0)
    counts.expire()
    assert counts.total == SLOTS - 1
    clock.advance(4.0)
    counts.expire()
    assert counts.total == SLOTS - 5


def test_a_long_silence_forgets_everything() -> None:
    """A jump of many windows costs ten steps, not one for each slot that went by."""
    clock = Clock()
    counts = RollingCounts(0.001, clock)
    counts.count()
    counts.mark()
    clock.advance(1e9)
    counts.expire()
    assert (counts.total, counts.marked) == (0, 0)
    counts.count()
    assert counts.total == 1


def test_a_window_of_no_length_still_counts_one_moment() -> None:
    """0 is in range for a window, and must not divide by zero."""
    clock = Clock(now=5.0)
    counts = RollingCounts(0, clock)
    counts.count()
    assert counts.total == 1
    clock.advance(0.01)
    counts.expire()
    assert counts.total == 0


def test_a_clock_that_steps_back_neither_wipes_nor_stops_the_counting() -> None:
    """Recent news survives the step, new news is added, and all of it is forgotten in the end."""
    clock = Clock(now=100.0)
    counts = RollingCounts(10, clock)
    counts.count()
    clock.now = 97.0
    counts.count()
    assert counts.total == 2
    clock.now = -1000.0
    counts.count()
    assert counts.total == 3
    clock.now = -989.0
    counts.expire()
    assert counts.total == 0


class RollingMachine(RuleBasedStateMachine):
    """Against a plain list of moments: the youngest are in, the old are out."""

    WINDOW_S = 10.0

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(now=1000.0)
        self.counts = RollingCounts(self.WINDOW_S, self.clock)
        self.counted: list[float] = []
        self.marked: list[float] = []

    @rule(times=st.integers(1, 3))
    def count(self, times: int) -> None:
        for _ in range(times):
            self.counts.count()
            self.counted.append(self.clock())

    @rule()
    def mark(self) -> None:
        self.counts.mark()
        self.marked.append(self.clock())

    @rule(quarters=st.integers(1, 60))
    def pass_time(self, quarters: int) -> None:
        self.clock.advance(quarters / 4)

    @invariant()
    def holds_what_is_recent(self) -> None:
        self.counts.expire()
        assert self.counts.total == self.recent(self.counted)
        assert self.counts.marked == self.recent(self.marked)

    def recent(self, moments: list[float]) -> int:
        width_s = self.WINDOW_S / SLOTS
        oldest_s = (self.clock() // width_s - SLOTS + 1) * width_s
        return sum(moment >= oldest_s for moment in moments)


TestRollingMachine = RollingMachine.TestCase


class UnsteadyClockMachine(RuleBasedStateMachine):
    """On a clock that may step back, too, the sums stay those of real events."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.counts = RollingCounts(10.0, self.clock)
        self.counted = 0

    @rule()
    def count(self) -> None:
        before = self.counts.total
        self.counts.count()
        self.counted += 1
        assert 1 <= self.counts.total <= before + 1

    @rule(by_s=st.floats(-30, 30))
    def step(self, by_s: float) -> None:
        self.clock.advance(by_s)

    @invariant()
    def never_less_than_nothing(self) -> None:
        self.counts.expire()
        assert 0 <= self.counts.total <= self.counted

    def teardown(self) -> None:
        self.clock.advance(11.0)
        self.counts.expire()
        assert self.counts.total == 0


TestUnsteadyClockMachine = UnsteadyClockMachine.TestCase


@given(st.lists(st.tuples(st.sampled_from("cmu"), st.floats(0, 3)), max_size=60))
def test_a_mark_that_is_taken_back_was_never_made(steps: list[tuple[str, float]]) -> None:
    """Whenever that is: the counts are those of a window that never saw it, from then on."""
    now = [100.0]
    counts, without = (RollingCounts(10.0, lambda: now[0]) for _ in range(2))
    made_s: list[float] = []
    for step, wait_s in steps:
        now[0] += wait_s
        if step == "c":
            counts.count()
            without.count()
        elif step == "m":
            counts.mark()
            made_s.append(now[0])
        elif made_s:
            counts.unmark(made_s.pop())
    for at_s in made_s:
        counts.unmark(at_s)
    counts.expire()
    without.expire()
    assert (counts.total, counts.marked) == (without.total, without.marked)
