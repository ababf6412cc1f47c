"""Jain's index, and a run taken apart by who ordered."""

import pytest

from bpdemo.lab import simulate
from bpdemo.lab.lessons.fairness import jain_index, parts_by


@pytest.mark.parametrize(
    ("shares", "index"),
    [([5, 5, 5], 1), ([1, 0, 0, 0], 0.25), ([1, 1, 0, 0], 0.5), ([10, 30, 50], 27 / 35)],
)
def test_the_index_is_one_for_equals_and_one_in_n_for_a_single_winner(shares, index):
    """And in between: half of them alike and the rest with nothing is a half."""
    assert jain_index(shares) == pytest.approx(index)
    assert jain_index(7 * share for share in shares) == pytest.approx(index)


@pytest.mark.parametrize("shares", [[], [0, 0]])
def test_nothing_shared_has_no_fairness(shares):
    with pytest.raises(ValueError, match="nobody got anything"):
        jain_index(shares)


def test_parts_are_the_run_without_the_others():
    """Every order is in exactly one part, priorities come in words, critical first."""
    run = simulate({"workers": 2}, times=2, seconds=4, priorities={0: 1, 3: 1, 1: 1})
    parts = parts_by(run, "priority", "to the door: ")
    assert list(parts) == ["to the door: critical", "to the door: normal", "to the door: low"]
    assert sum(len(part.records) for part in parts.values()) == len(run.records)
    low = parts["to the door: low"]
    assert set(low.records.priority.tolist()) == {"0"}
    assert low.summary["capacity_per_s"] == run.summary["capacity_per_s"]


def test_only_what_was_mixed_can_be_taken_apart():
    with pytest.raises(ValueError, match="client"):
        parts_by(simulate({"workers": 2}, times=1, seconds=2), "colour")
