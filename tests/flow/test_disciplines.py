"""Each discipline has its order, and gives up a job from the middle as cheaply as from the end."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.core.choices import DISCIPLINES as NAMES
from bpdemo.core.choices import QueueDiscipline
from bpdemo.flow.disciplines import (
    AdaptiveDiscipline,
    ArrivalDiscipline,
    Discipline,
    make_discipline,
)

#: Jobs in the order they come: name and priority.
COMING = [("a", 1), ("b", 3), ("c", 0), ("d", 1), ("e", 3), ("f", 2)]


def filled(name: QueueDiscipline) -> Discipline[str]:
    line: Discipline[str] = make_discipline(name)
    for came_s, (job, priority) in enumerate(COMING):
        line.push(job, float(came_s), priority)
    return line


def emptied(line: Discipline[str]) -> str:
    return "".join(line.pop()[0] for _ in range(len(line)))


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("fifo", "abcdef"),
        ("lifo", "fedcba"),
        ("adaptive_lifo", "fedcba"),
        ("priority", "befadc"),
        ("codel", "abcdef"),
    ],
)
def test_whose_turn_it_is(name: QueueDiscipline, order: str) -> None:
    """Oldest first, newest first, highest first and oldest within one; CoDel is oldest first."""
    assert emptied(filled(name)) == order


@pytest.mark.parametrize("name", NAMES)
def test_a_job_comes_out_with_the_moment_it_came(name: QueueDiscipline) -> None:
    """So its wait can be told."""
    line = filled(name)
    came = {job: float(n) for n, (job, _) in enumerate(COMING)}
    assert dict(line.pop() for _ in range(6)) == came


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_line_says_so(name: QueueDiscipline) -> None:
    """KeyError, and a length of nothing."""
    line: Discipline[str] = make_discipline(name)
    assert len(line) == 0
    with pytest.raises(KeyError):
        line.pop()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("leaver", "abcdef")
def test_whoever_leaves_leaves_the_others_in_order(name: QueueDiscipline, leaver: str) -> None:
    """Removal tells whether the job was there, and works once."""
    line, order = filled(name), emptied(filled(name))
    assert line.remove(leaver)
    assert not line.remove(leaver)
    assert not line.remove("nobody")
    assert len(line) == 5
    assert emptied(line) == order.replace(leaver, "")


@given(
    name=st.sampled_from(NAMES),
    priorities=st.lists(st.integers(0, 3)),
    newcomer=st.integers(0, 3),
)
def test_ahead_of_tells_how_many_are_served_first(
    name: QueueDiscipline, priorities: list[int], newcomer: int
) -> None:
    """The estimate of the door agrees with what then happens."""
    line: Discipline[int] = make_discipline(name)
    for n, priority in enumerate(priorities):
        line.push(n, 1e-4 * n, priority)
    ahead = line.ahead_of(newcomer)
    line.push(-1, 1e-4 * len(priorities), newcomer)
    served = [line.pop()[0] for _ in range(len(line))]
    assert served.index(-1) == ahead


@pytest.mark.parametrize("name", NAMES)
def test_a_line_can_be_read_without_emptying_it(name: QueueDiscipline) -> None:
    """Every job once, with moment and priority: what another discipline needs to take over."""
    line = filled(name)
    expected = [(job, float(n), priority) for n, (job, priority) in enumerate(COMING)]
    assert list(line) == expected
    assert len(line) == 6


@pytest.mark.parametrize("name", NAMES)
def test_a_line_is_read_in_the_order_of_arrival(name: QueueDiscipline) -> None:
    """Also when all came at one moment, and after some have left."""
    line: Discipline[str] = make_discipline(name)
    for job, priority in COMING:
        line.push(job, 7.0, priority)
    line.remove("c")
    gone, _ = line.pop()
    assert "".join(job for job, _, _ in line) == "abdef".replace(gone, "")


@pytest.mark.parametrize("name", NAMES)
def test_a_job_stands_in_a_line_once(name: QueueDiscipline) -> None:
    """A second push raises and changes nothing: neither moment, nor priority, nor turn."""
    line, order = filled(name), emptied(filled(name))
    before = list(line)
    for job, priority in COMING:
        assert job in line
        for other in {priority, 0, 3}:
            with pytest.raises(ValueError, match="waits already"):
                line.push(job, 99.0, other)
    assert list(line) == before
    assert emptied(line) == order
    assert "a" not in line


def test_newest_first_is_a_choice_of_the_same_line() -> None:
    """LIFO estimates no wait: a newcomer is next."""
    line: ArrivalDiscipline[str] = ArrivalDiscipline(newest_first=True)
    line.push("a", 0, 1)
    assert line.ahead_of(0) == 0


def test_an_adaptive_line_is_fair_while_it_is_short_lived() -> None:
    """Oldest first for 0.2 s of standing, newest first from then on, and fair again once empty."""
    line: AdaptiveDiscipline[str] = AdaptiveDiscipline(standing_s=0.2)
    for job, came_s in (("a", 5.0), ("b", 5.1), ("c", 5.15)):
        line.push(job, came_s, 1)
    assert line.pop() == ("a", 5.0)
    assert line.ahead_of(1) == 2
    line.push("d", 5.3, 1)
    assert line.ahead_of(1) == 0
    assert emptied(line) == "dcb"
    line.push("e", 9.0, 1)
    line.push("f", 9.1, 1)
    assert emptied(line) == "ef"


def test_whoever_leaves_an_adaptive_line_empty_ends_its_standing() -> None:
    """A line emptied by those who left is as good as one that was served."""
    line: AdaptiveDiscipline[str] = AdaptiveDiscipline(standing_s=0.2)
    line.push("a", 0.0, 1)
    line.remove("a")
    line.push("b", 1.0, 1)
    line.push("c", 1.1, 1)
    assert emptied(line) == "bc"


@pytest.mark.parametrize("name", NAMES)
def test_taking_one_out_of_the_middle_takes_constant_time(name: QueueDiscipline) -> None:
    """A line 64 times as long makes a removal no slower: best of several, with room for noise."""

    def best_s(length: int) -> float:
        best = float("inf")
        for _ in range(5):
            line: Discipline[int] = make_discipline(name)
            for n in range(length):
                line.push(n, float(n), n % 4)
            middle = range(length // 2, length // 2 + 200)
            began = time.perf_counter()
            for n in middle:
                line.remove(n)
            best = min(best, time.perf_counter() - began)
        return best

    # In linear time it would be 64 times slower.
    assert best_s(32_000) < 16 * best_s(500)
