"""How evenly something is shared: Jain's index, and a run taken apart by client or priority."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, TypeVar

from bpdemo.core.slips import forgiving
from bpdemo.plan.plan import require_choice
from bpdemo.results.frame import SPLITS
from bpdemo.results.run import Run

R = TypeVar("R", bound=Run)

if TYPE_CHECKING:
    from bpdemo.results.records import Column

PRIORITY_WORDS: Final = {"0": "low", "1": "normal", "2": "high", "3": "critical"}


@forgiving
def jain_index(shares: Iterable[float]) -> float:
    """(Σx)² / (n Σx²): 1 if all n get the same, 1/n if one gets everything.

    R. Jain, D. Chiu, W. Hawe, "A quantitative measure of fairness and discrimination for resource
    allocation in shared computer systems", DEC-TR-301, 1984. ValueError if nobody gets anything.
    """
    values = list(shares)
    squares = sum(value * value for value in values)
    if not squares:
        raise ValueError("shares: nobody got anything, so there is nothing to compare")
    return float(sum(values) ** 2 / (len(values) * squares))


@forgiving
def parts_by(run: R, by: str, prefix: str = "") -> dict[str, R]:
    """The run of each label of `by` ("client" or "priority") by itself, under `prefix` + label.

    Priorities come in words, critical first. Attempts cannot be told apart: each part has all.
    """
    require_choice("by", by, SPLITS)
    labels: Column = getattr(run.records, by)
    return {
        prefix + PRIORITY_WORDS.get(label, label): type(run)(
            run.records.where(labels == label), run.samples, run.meta
        )
        for label in sorted(set(labels.tolist()), reverse=by == "priority")
    }
