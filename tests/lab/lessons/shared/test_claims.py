"""`claim`: one figure, one bound, and a line that says both."""

import math
from typing import Any

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

from bpdemo.lab import ClaimFailed, NotMeasured, claim


class Run:
    def __init__(self, is_valid: bool = True) -> None:
        self.is_valid = is_valid

    def require_valid(self) -> None:
        if not self.is_valid:
            raise NotMeasured(["busy"])


@pytest.mark.parametrize(
    ("value", "bound", "told"),
    [
        (0.97, {"at_least": 0.85, "unit": "of capacity"}, "✓ 0.97 ≥ 0.85 of capacity: it holds"),
        (0.85, {"at_least": 0.85}, "✓ 0.85 ≥ 0.85: it holds"),
        (12.34, {"at_most": 20, "unit": "ms"}, "✓ 12.3 ≤ 20 ms: it holds"),
        (np.float64(0.5), {"between": (0.4, 0.6)}, "✓ 0.5 between 0.4 and 0.6: it holds"),
        (np.int64(20), {"equals": 20, "unit": "payments"}, "✓ 20 = 20 payments: it holds"),
        (1234.5, {"at_least": 1000, "unit": "req/s"}, "✓ 1,234 ≥ 1,000 req/s: it holds"),
        (0.0134, {"at_most": 0.03}, "✓ 0.013 ≤ 0.03: it holds"),
        (0, {"equals": 0}, "✓ 0 = 0: it holds"),
        (0.996, {"at_least": 0.9}, "✓ 0.996 ≥ 0.9: it holds"),
        (0.9999, {"at_most": 1}, "✓ 0.9999 ≤ 1: it holds"),
    ],
)
def test_what_holds_is_told_in_a_line(capsys, value, bound, told):
    """Figure, relation, bound and unit, in that order, then the claim."""
    assert claim("it holds", value, **bound).holds
    assert capsys.readouterr().out.strip() == told


def test_at_the_end_of_a_cell_it_shows_nothing_more(capsys):
    """Its line is printed; a second one, with the names of its fields, would only be noise."""
    made = claim("it holds", 0.9, at_least=0.85)
    capsys.readouterr()
    assert DisplayFormatter().format(made) == ({}, {})
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("value", "bound"),
    [
        (0.8499, {"at_least": 0.85}),
        (0.9, {"at_most": 0.85}),
        (0.39, {"between": (0.4, 0.6)}),
        (0.61, {"between": (0.4, 0.6)}),
        (19, {"equals": 20}),
        (math.nan, {"at_least": 0}),
        (math.nan, {"at_most": 0}),
        (math.nan, {"between": (-1, 1)}),
        (math.nan, {"equals": 0}),
    ],
)
def test_what_does_not_hold_raises_with_the_claim(capsys, value, bound):
    """The error carries the claim; no tick is printed, and the figure differs from its bound."""
    with pytest.raises(ClaimFailed) as failed:
        claim("it holds", value, **bound)
    assert isinstance(failed.value, AssertionError)
    assert failed.value.claim.text == "it holds"
    assert not failed.value.claim.holds
    _, figure, *_ = str(failed.value).split()
    assert figure not in failed.value.claim.bounds.split()
    assert capsys.readouterr().out == ""


def test_a_busy_machine_is_no_verdict():
    """Runs are asked first, whether the claim would hold or not."""
    for value in (0.0, 1.0):
        with pytest.raises(NotMeasured):
            claim("it holds", value, at_least=0.5, runs=[Run(), Run(is_valid=False)])


def test_a_skip_says_why_and_judges_nothing(capsys):
    """Neither the figure nor the runs are looked at."""
    wrong: dict[str, Any] = {"at_least": 1, "runs": [Run(is_valid=False)]}
    assert claim("it holds", 0, **wrong, only_if=False) is None
    assert claim("it holds", 0, **wrong, only_if=(False, "no PostgreSQL here")) is None
    assert claim("it holds", 0, **wrong, only_if=[False, "no PostgreSQL here"]) is None  # type: ignore[arg-type]
    first, second, third = capsys.readouterr().out.splitlines()
    assert second == third
    assert first == "– skipped, its condition is not met: it holds"
    assert second == "– skipped, no PostgreSQL here: it holds"


@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        ({}, "none of them"),
        ({"at_least": 1, "at_most": 2}, "at_least, at_most"),
        ({"at_least": "much"}, "at_least must be a number, not 'much'"),
        ({"at_most": math.nan}, "at_most must be a number"),
        ({"at_most": math.inf}, "at_most must be a number"),
        ({"between": (-math.inf, math.inf)}, "between must be two numbers"),
        ({"equals": True}, "equals must be a number, not True"),
        ({"between": (2, 1)}, r"between must be \(low, high\)"),
        ({"between": 3}, "between must be two numbers"),
        ({"between": (1, 2, 3)}, "between must be two numbers"),
    ],
)
def test_a_misspelt_claim_is_refused(bounds, told):
    """A claim that could not fail, or not hold, is an error in the lesson, and no verdict."""
    with pytest.raises(ValueError, match=told):
        claim("it holds", 1, **bounds)
