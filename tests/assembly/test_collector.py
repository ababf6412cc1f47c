"""What failed requests leave behind is collected, when that is cheap."""

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from bpdemo.assembly.collector import Sweeper
from tests.support.waiting import until


class Knot:
    """Holds on to itself, as an error and its frames do to one another."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def rare_collections() -> Iterator[None]:
    """As `calm_collector` makes them, without freezing the tests' own objects."""
    before = gc.get_threshold()
    gc.set_threshold(1_000_000, 1_000, 1_000)
    gc.collect()
    yield
    gc.set_threshold(*before)


def left_behind(young_collections: int) -> "weakref.ref[Knot]":
    """A knot that was in use during so many young collections, and is not any more."""
    knot = Knot()
    for _ in range(young_collections):
        gc.collect(0)
    return weakref.ref(knot)


def test_what_outlived_young_collections_is_swept() -> None:
    """Though no young collection looks at it again."""
    knot = left_behind(Sweeper.WORTH_IT)
    assert knot() is not None
    Sweeper(lambda: 3).sweep_if_cheap()
    assert knot() is None


def test_nobody_is_held_up_while_many_wait_or_for_next_to_nothing() -> None:
    """In the depth of an overload, and at rest, there is no full collection."""
    knot = left_behind(Sweeper.WORTH_IT)
    Sweeper(lambda: Sweeper.FEW_IN_FLIGHT + 1).sweep_if_cheap()
    assert knot() is not None
    gc.collect()
    knot = left_behind(Sweeper.WORTH_IT - 1)
    Sweeper(lambda: 0).sweep_if_cheap()
    assert knot() is not None


def test_what_took_long_is_not_done_again_soon() -> None:
    """Ten thousand connections that ask for nothing take as long to look at as a full queue. Nor is
    it put off for good, as when the machine stood still meanwhile."""
    times_s = iter([10.0, 10.4, 209.9, 210.1, 270.1, 509.0, 511.0, 511.1])
    sweeper = Sweeper(lambda: 0, clock=lambda: next(times_s))
    for is_swept in (True, False, True, False, True):
        knot = left_behind(Sweeper.WORTH_IT)
        sweeper.sweep_if_cheap()
        assert (knot() is None) == is_swept


async def test_it_looks_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as the loop runs, with no task of its own."""
    monkeypatch.setattr(Sweeper, "LOOK_S", 0.01)
    monkeypatch.setattr(Sweeper, "MOST_SHARE", 1.0)
    tasks = asyncio.all_tasks()
    Sweeper(lambda: 0).start()
    assert asyncio.all_tasks() == tasks
    for _ in range(2):
        knot = left_behind(Sweeper.WORTH_IT)
        await until(lambda knot=knot: knot() is None, "it is swept")
