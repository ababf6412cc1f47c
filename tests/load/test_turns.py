"""Knobs that turn while a load runs."""

import pytest

from bpdemo.load.turns import turn_in_time


class Load:
    """Time that goes on a little at each look, up to `ends_s`."""

    def __init__(self, ends_s: float) -> None:
        self.ends_s = ends_s
        self.marks: list[tuple[float, str]] = []
        self.capacities: list[float | None] = []
        self._now_s = 0.0

    @property
    def now_s(self) -> float:
        self._now_s += 0.25
        return self._now_s

    @property
    def done(self) -> bool:
        return self._now_s >= self.ends_s

    def mark(self, text: str) -> None:
        self.marks.append((self._now_s, text))

    def note_capacity(self, capacity_per_s: float | None) -> None:
        self.capacities.append(capacity_per_s)


class Service:
    """Remembers how it was tuned."""

    def __init__(self) -> None:
        self.turned: list[dict[str, float]] = []

    def tune(self, **knobs: float) -> None:
        self.turned.append(knobs)

    @property
    def capacity_per_s(self) -> float:
        return 8 / self.turned[-1]["payment_latency_s"]


DOWN_AND_BACK = [(1.0, {"payment_latency_s": 3600.0}), (2.0, {"payment_latency_s": 0.04})]


def test_each_knob_turns_when_the_load_gets_there_and_is_marked():
    """Both turns happen, in order, at their time; the picture says so in words."""
    load, service = Load(ends_s=10), Service()
    turn_in_time(service, load, DOWN_AND_BACK).join(5)
    assert service.turned == [knobs for _, knobs in DOWN_AND_BACK]
    assert load.marks == [(1.0, "payment hangs"), (2.0, "payment takes 40 ms")]
    assert load.capacities == [8 / 3600, 200.0]


def test_a_load_that_ends_early_turns_nothing_more():
    """The thread ends with the load; the later change never comes."""
    load, service = Load(ends_s=1.5), Service()
    thread = turn_in_time(service, load, DOWN_AND_BACK)
    thread.join(5)
    assert not thread.is_alive()
    assert len(service.turned) == 1


def test_a_service_without_knobs_is_told_at_once():
    """Not in a thread that nobody listens to."""
    with pytest.raises(TypeError, match="knobs to tune"):
        turn_in_time(object(), Load(1), DOWN_AND_BACK)
