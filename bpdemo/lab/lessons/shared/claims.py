"""`claim`: what a lesson says it has shown, held against what was measured."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

from bpdemo.core.box import SaysItself
from bpdemo.core.kinds import wrong_kind
from bpdemo.core.ranges import require_text
from bpdemo.core.slips import forgiving

__all__ = ["Claim", "ClaimFailed", "claim"]

PLAIN_UNITS: Final = ("", "share")
NO_REASON: Final = "its condition is not met"


@runtime_checkable
class Measured(Protocol):
    def require_valid(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim with its figure. `bounds` says what was asked of it, such as "≥ 0.85"."""

    text: str
    value: float
    bounds: str
    unit: str
    holds: bool

    def __str__(self) -> str:
        told = "" if self.unit in PLAIN_UNITS else f" {self.unit}"
        if self.holds:
            return f"✓ {_number(self.value)} {self.bounds}{told}: {self.text}"
        return f"✗ {self._missed()} is not {self.bounds}{told}: {self.text}"

    def _ipython_display_(self) -> None:
        """Nothing: at the end of a cell its line has been printed already."""

    def _missed(self) -> str:
        """The figure, to as many digits as it takes to differ from a bound that it just missed."""
        extra = 0
        while extra < 12 and _number(self.value, extra) in self.bounds.split():
            extra += 1
        return _number(self.value, extra)


class ClaimFailed(SaysItself, AssertionError):
    """What was measured contradicts the claim. `claim` has the text, the figure and the bounds."""

    @forgiving
    def __init__(self, claim: Claim) -> None:
        if not isinstance(claim, Claim):
            raise TypeError(wrong_kind("claim", "what claim() gives", claim))
        super().__init__(str(claim))
        self.claim = claim


def claim(
    text: str,
    value: float,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    between: tuple[float, float] | None = None,
    equals: float | None = None,
    unit: str = "share",
    runs: Iterable[Measured] = (),
    only_if: bool | tuple[bool, str] = True,
) -> Claim | None:
    """Hold `value` against one bound, print `✓ 0.97 ≥ 0.85: goodput stays up`, and give the claim.

    Exactly one of `at_least`, `at_most`, `between` (both ends included) and `equals`. `unit` stands
    behind the figures; "share" and "" are left out. `runs` are asked to `require_valid` first, so
    `NotMeasured` comes before any judgement. Where `only_if` is false the claim is skipped, which a
    line says; `(condition, "no PostgreSQL here")` gives it the reason.

    Raises `ClaimFailed` (an AssertionError) when the claim does not hold, NaN included; ValueError
    when there is not exactly one bound, or one is no number.
    """
    for field, told in {"text": text, "unit": unit}.items():
        require_text(field, told)
    low, high, bounds = _bounds(at_least=at_least, at_most=at_most, between=between, equals=equals)
    is_due, reason = only_if if isinstance(only_if, (tuple, list)) else (only_if, NO_REASON)
    if not is_due:
        print(f"– skipped, {reason}: {text}")
        return None
    for run in _measured(runs):
        run.require_valid()
    measured = float(value)
    found = Claim(text, measured, bounds, unit, low <= measured <= high)
    if not found.holds:
        raise ClaimFailed(found)
    print(found)
    return found


def _measured(runs: Any) -> list[Measured]:
    """What was given as runs. TypeError if one is none."""
    found = list(runs) if isinstance(runs, Iterable) else [runs]
    for run in found:
        if not isinstance(run, Measured):
            raise TypeError(wrong_kind("runs", "a list of runs", runs))
    return found


def _bounds(
    *,
    at_least: float | None,
    at_most: float | None,
    between: tuple[float, float] | None,
    equals: float | None,
) -> tuple[float, float, str]:
    given = {
        name: bound
        for name, bound in {
            "at_least": at_least, "at_most": at_most, "between": between, "equals": equals,
        }.items()
        if bound is not None
    }  # fmt: skip
    if len(given) != 1:
        told = ", ".join(given) or "none of them"
        raise ValueError(f"claim takes one of at_least, at_most, between, equals, not {told}")
    ((name, bound),) = given.items()
    ends = tuple(bound) if isinstance(bound, (tuple, list)) else (bound,)
    if len(ends) != (2 if name == "between" else 1) or not all(_is_number(end) for end in ends):
        raise ValueError(f"{name} must be {_WANTED[name]}, not {bound!r}")
    if name == "at_least":
        return ends[0], math.inf, f"≥ {_number(ends[0])}"
    if name == "at_most":
        return -math.inf, ends[0], f"≤ {_number(ends[0])}"
    if name == "equals":
        return ends[0], ends[0], f"= {_number(ends[0])}"
    if ends[0] > ends[1]:
        raise ValueError(f"between must be (low, high), not {bound!r}")
    return ends[0], ends[1], f"between {_number(ends[0])} and {_number(ends[1])}"


_WANTED: Final = {
    "at_least": "a number",
    "at_most": "a number",
    "equals": "a number",
    "between": "two numbers, (low, high)",
}


def _is_number(value: object) -> bool:
    # bool is a number to Python, and a slip here.
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    return math.isfinite(value)


def _number(value: float, extra_digits: int = 0) -> str:
    """As a person writes it: 0.97, 0.013, 3.1, 212, 1,200; never 1e+03 and no idle zeros."""
    if not math.isfinite(value):
        return str(value)
    magnitude = math.floor(math.log10(abs(value))) if value else 0
    digits = max(0, 2 - magnitude) if magnitude >= 0 else max(2, 1 - magnitude)
    text = f"{value:,.{digits + extra_digits}f}"
    if abs(value) < 1 <= abs(float(text.replace(",", ""))) and extra_digits < 12:
        return _number(value, extra_digits + 1)  # 0.996 is not all of it
    return text.rstrip("0").rstrip(".") if "." in text else text
