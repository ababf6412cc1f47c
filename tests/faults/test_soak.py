"""A short soak; `make soak` is the long one."""

import asyncio
import dataclasses

import pytest

from bpdemo.service.books import Books
from tests.faults.soak.faults import FAULTS
from tests.faults.soak.soak import KNOBS, Calm, Record, Sample, soak
from tests.faults.soak.storms import KINDS, storms
from tests.faults.soak.verdict import figures, judge, slope_mb_per_min

#: Its first storm kills PostgreSQL.
SEED = 28
SECONDS = 14.0


@pytest.mark.load
@pytest.mark.slow
@pytest.mark.long
@pytest.mark.usefixtures("postgres_server")  # skips where there can be no server
def test_a_sale_through_a_storm_keeps_every_promise():
    """PostgreSQL is killed at three times capacity: nothing lost, doubled, owed or left behind."""
    told: list[str] = []
    record = asyncio.run(soak(SECONDS, SEED, told.append))
    assert "postgres killed" in [kind for _, kind in record.storms]
    assert [line for line in judge(record) if line.ok is False] == []
    assert len(record.acknowledged) > SECONDS * KNOBS["workers"]
    assert len(told) >= 2
    assert figures(record)["answers"][201] == len(record.acknowledged)


def test_a_seed_fixes_the_storms():
    """The same seed draws the same kinds and lengths; every kind comes before one comes again."""

    def first(seed: int) -> list[tuple[str, float, float]]:
        drawn = zip(range(2 * len(KINDS)), storms(seed, 600), strict=False)
        return [(storm.kind, storm.fault_s, storm.calm_s) for _, storm in drawn]

    assert first(1) == first(1) != first(2)
    assert sorted(kind for kind, *_ in first(1)[: len(KINDS)]) == sorted(KINDS)
    assert set(FAULTS) == set(KINDS)


def sound() -> Record:
    """Five minutes in which everything held."""
    books = dict.fromkeys(Books.__slots__, 0) | {"received": 3, "rejected": 1, "admitted": 2}
    held = {"fds": 20, "threads": 3, "tasks": 12, "children": 1}
    return Record(
        seconds=300, seed=0, offered_per_s=600,
        samples=[Sample(at_s, 70 + at_s / 600, 20, 3) for at_s in range(300)],
        storms=[(10.0, "store down"), (15.0, "recovery"), (20.0, "calm")],
        calms=[Calm("the start", 0, 10, 200.0), Calm("store down", 20, 30, 190.0)],
        before=held, after=dict(held),
        stats={
            "books": books | {"success": 2},
            "payments": {"charged": 3, "refunded": 1},
        },
        acknowledged=["a", "b"], replayed=["a"], stored=[("a", "1"), ("b", "2")],
    )  # fmt: skip


def broken(record: Record) -> list[str]:
    return [line.what for line in judge(record) if line.ok is False]


def test_what_held_is_said_to_have_held():
    """A slope of a tenth of a megabyte a minute, an order replayed: nothing is wrong with it."""
    assert broken(sound()) == []
    assert slope_mb_per_min(sound()) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"acknowledged": ["a", "b", "c"]}, "lost"),
        ({"replayed": ["z"]}, "lost"),
        ({"acknowledged": ["a", "a"]}, "doubled"),
        ({"stored": [("a", "1"), ("b", "1")]}, "doubled"),
        ({"stored": [("a", "1"), ("b", "2"), ("c", "3")]}, "charged − refunded"),
        ({"samples": [Sample(t, 70 + t / 50, 20, 3) for t in range(300)]}, "memory after warm-up"),
        ({"after": {"fds": 21, "threads": 3, "tasks": 12, "children": 1}}, "fds"),
        ({"after": {"fds": 20, "threads": 3, "tasks": 13, "children": 1}}, "tasks"),
        ({"left_behind": ["7 postgres"]}, "processes left"),
        ({"storms": []}, "storms"),
        (
            {"calms": [Calm("the start", 0, 10, 200.0), Calm("payment down", 20, 30, 130.0)]},
            "worst of them, after 'payment down'",
        ),
    ],
)
def test_a_broken_promise_is_seen(change, told):
    """The verdict is no ornament."""
    assert told in broken(dataclasses.replace(sound(), **change))


@pytest.mark.parametrize("column", ["received", "admitted", "running"])
def test_books_that_are_out_by_one_are_seen(column):
    """One caller forgotten, or still inside."""
    record = sound()
    record.stats["books"][column] += 1
    assert broken(record) == ["books"]
