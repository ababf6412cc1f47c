"""What holds for every limit that adapts, whatever it learns from."""

import inspect
from random import Random
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.core.choices import LimitAlgorithm
from bpdemo.flow.limiter import Limit, Limiter
from bpdemo.flow.limits.choice import LIMITS, LimitChoice
from tests.flow.helpers import Clock

NAMES = sorted(LIMITS)


def test_every_algorithm_but_the_fixed_has_a_limit() -> None:
    """None of the settings' words leads nowhere."""
    assert set(get_args(LimitAlgorithm)) == {"fixed", *LIMITS}


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_class_of_eighty_lines_that_names_its_source_and_its_trouble(name: str) -> None:
    """Formula, defaults, source, known trouble: who reads the class knows what they get."""
    kind = LIMITS[name]  # type: ignore[index]
    source, told = inspect.getsource(kind), inspect.getdoc(kind) or ""
    assert len(source.splitlines()) <= 80
    for said in (
        "**Defaults",
        "**Source:**",
        "**Known trouble:**",
        "L ←" if "egas" not in name else "q =",
    ):
        assert said in told, said


@pytest.mark.parametrize("name", NAMES)
@given(
    st.integers(1, 12),
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(0, 2**32),
    st.lists(
        st.tuples(st.sampled_from([0.0, 1e-9, 0.01, 0.3, 90.0]), st.booleans(), st.booleans()),
        max_size=400,
    ),
)
def test_no_calls_lead_it_out_of_its_bounds(
    name: str, low: int, above: int, start: int, seed: int, calls: list[tuple[float, bool, bool]]
) -> None:
    """Whatever ends, however: the limit stays a number from its least to its most, and so some are
    always let in."""
    choice = LimitChoice(algorithm=name, start=start, low=low, high=low + above - 1)  # type: ignore[arg-type]
    limit, now = choice.make(Random(seed)), 0.0
    floor = min(low, 3) if name == "gradient" else low  # it probes at three, whatever the least is
    for latency_s, dropped, full in calls * 3:
        now += latency_s / 3
        limit.learn(int(limit.current), latency_s, dropped=dropped, now=now, was_full=full)
        assert floor <= limit.current <= choice.high


@pytest.mark.parametrize("name", NAMES)
def test_the_same_calls_and_the_same_chance_give_the_same_limit(name: str) -> None:
    """All chance comes by `rng`: a simulation repeats to the last call."""

    def path() -> list[float]:
        chance, limit = Random(5), make(name)
        found = []
        for number in range(3000):
            rtt_s = chance.lognormvariate(-3, 1)
            limit.learn(
                chance.randint(1, 30), rtt_s, dropped=chance.random() < 0.02,
                now=number * 0.01, was_full=True,
            )  # fmt: skip
            found.append(limit.current)
        return found

    assert path() == path()


@pytest.mark.parametrize("name", NAMES)
def test_it_stands_behind_the_gate(name: str) -> None:
    """The limiter tells each all that it asks for, of every call."""
    clock, limit = Clock(), make(name)
    heard: list[tuple[Any, ...]] = []

    def learn(in_flight: int, latency_s: float, **told: Any) -> None:
        heard.append((in_flight, round(latency_s, 9), told))
        limit.learn(in_flight, latency_s, **told)

    learn.__signature__ = inspect.signature(limit.learn)  # type: ignore[attr-defined]
    limiter = Limiter(SimpleNamespace(current=limit.current, learn=learn), clock)
    for _ in range(200):
        permit = limiter.acquire()
        clock.advance(0.01)
        permit.success()
    assert limiter.in_flight == 0
    ended_s = [round(0.01 * (call + 1), 9) for call in range(200)]
    assert [(n, s, round(t.pop("now"), 9)) for n, s, t in heard] == [(1, 0.01, s) for s in ended_s]
    assert {tuple(sorted(told.items())) for *_, told in heard} == {
        (("dropped", False), ("was_full", False))
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bounds", [(0, 1), (5, 4), (-1, 10)])
def test_bounds_that_are_none_are_refused(name: str, bounds: tuple[int, int]) -> None:
    """A limit of 0 would let nobody in, and so never learn otherwise."""
    low, high = bounds
    with pytest.raises(ValueError, match=r"low|high|start"):
        LIMITS[name](4, low=low, high=high, rng=Random(1))  # type: ignore[index]


def make(name: str) -> Limit:
    return LimitChoice(algorithm=name, start=20, low=1, high=1000).make(Random(7))  # type: ignore[arg-type]
